import Tensors

/// Inputs of one number: scalars, or vectors of one element.
extension Operator {
    /// The integer of an input that must be there; `nil` when it is not known yet.
    @_semantics("optimize.sil.specialize.generic.never")
    func knownInteger(_ inputs: [ValueInfo?], _ index: Int, _ name: String) throws(GraphError) -> Int? {
        let info = try required(inputs, index, name)
        try requireType(info, name, .int64, .int32)
        try requireOneElement(info, name)
        return info.knownElements?.first
    }

    /// The real of an input that must be there; `nil` when it is not known yet.
    @_semantics("optimize.sil.specialize.generic.never")
    func knownReal(_ inputs: [ValueInfo?], _ index: Int, _ name: String) throws(GraphError) -> Double? {
        let info = try required(inputs, index, name)
        try requireFloating(info, name)
        try requireOneElement(info, name)
        return info.knownReals?.first
    }

    @_semantics("optimize.sil.specialize.generic.never")
    func requireOneElement(_ info: ValueInfo, _ name: String) throws(GraphError) {
        try requireRank(info, name, 0...1)
        if let count = info.dimensions?.first?.value, count != 1 {
            throw error("\(name) \(info) has \(count) elements, expected 1")
        }
    }
}

extension AttributeReader {
    /// The number type that an operator makes, float32 when the attribute is absent.
    mutating func numberType(_ name: String) throws(GraphError) -> ElementType {
        guard let number = try integer(name) else { return .float32 }
        guard let type = ElementType(onnxNumber: number), type != .bool else {
            throw .attribute(operatorType, name: name, reason: "is \(number), no number type that is known")
        }
        return type
    }
}
