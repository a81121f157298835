import Tensors

/// A question to each element. Inputs: X, floating. Outputs: Y, `bool`, shaped as X.
package protocol RealPredicate: Operator {
    func holds(_ x: Double) -> Bool
}

extension RealPredicate {
    package var inputCount: ClosedRange<Int> { 1...1 }

    @_semantics("optimize.sil.specialize.generic.never")
    package func inferOutputs(_ inputs: [ValueInfo?], outputCount: Int) throws(GraphError) -> [ValueInfo] {
        let x = try required(inputs, 0, "X")
        try requireFloating(x, "X")
        return [try output(.bool, x.dimensions)]
    }

    @_semantics("optimize.sil.specialize.generic.never")
    package func evaluate(_ inputs: [ExactTensor?], outputCount: Int) throws(GraphError) -> [ExactTensor] {
        let shape = try outputShape(inputs)
        let result: [Int64] = try reals(inputs, 0, "X").map { holds($0) ? 1 : 0 }
        return [ExactTensor(integers: result, shape: shape, elementType: .bool)]
    }
}

/// Source: ONNX IsNaN-9, 13, 20.
package struct IsNaN: RealPredicate {
    package static let type = "IsNaN"
    package init(_ attributes: inout AttributeReader) {}
    package func holds(_ x: Double) -> Bool { x.isNaN }
}

/// Attributes: `detect_negative` (1), `detect_positive` (1). Source: ONNX IsInf-10, 20.
package struct IsInf: RealPredicate {
    package static let type = "IsInf"

    private let detectsNegative: Bool
    private let detectsPositive: Bool

    package init(_ attributes: inout AttributeReader) throws(GraphError) {
        detectsNegative = try attributes.flag("detect_negative", default: true)
        detectsPositive = try attributes.flag("detect_positive", default: true)
    }

    package func holds(_ x: Double) -> Bool {
        (detectsNegative && x == -.infinity) || (detectsPositive && x == .infinity)
    }
}
