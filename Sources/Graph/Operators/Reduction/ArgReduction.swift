import Tensors

/// Where along `axis` the extreme element is.
///
/// Inputs: data, any number type. Outputs: reduced, int64. Attributes: `axis` (0), `keepdims` (1), `select_last_index`
/// (0, since 12: of equal elements the last). The first NaN counts as the extreme. Errors: an axis without elements.
package protocol ArgReduction: Operator {
    var axis: Int { get }
    var keepsDimensions: Bool { get }
    var selectsLast: Bool { get }
    init(axis: Int, keepsDimensions: Bool, selectsLast: Bool)
    static func isBetter(_ a: Double, than b: Double) -> Bool
    static func isBetter(_ a: Int64, than b: Int64, order: IntegerOrder) -> Bool
}

extension ArgReduction {
    package init(_ attributes: inout AttributeReader) throws(GraphError) {
        self.init(
            axis: try attributes.integer("axis", default: 0),
            keepsDimensions: try attributes.flag("keepdims", default: true),
            selectsLast: attributes.opset >= 12
                ? try attributes.flag("select_last_index", default: false) : false)
    }

    package var inputCount: ClosedRange<Int> { 1...1 }

    @_semantics("optimize.sil.specialize.generic.never")
    package func inferOutputs(_ inputs: [ValueInfo?], outputCount: Int) throws(GraphError) -> [ValueInfo] {
        let data = try required(inputs, 0, "data")
        try requireNumbers(data, "data")
        guard var dimensions = data.dimensions else { return [ValueInfo(.int64, nil)] }
        let axis = try normalized(axis, rank: dimensions.count)
        if dimensions[axis] == .known(0) { throw error("axis \(axis) has no elements") }
        if keepsDimensions { dimensions[axis] = .known(1) } else { dimensions.remove(at: axis) }
        return [try output(.int64, dimensions)]
    }

    @_semantics("optimize.sil.specialize.generic.never")
    package func evaluate(_ inputs: [ExactTensor?], outputCount: Int) throws(GraphError) -> [ExactTensor] {
        let target = try outputShape(inputs)
        let data = try tensor(inputs, 0, "data")
        let axis = try normalized(axis, rank: data.shape.rank)
        let (extent, inner) = (data.shape[axis], data.shape.dimensions[(axis + 1)...].reduce(1, *))
        let result: [Int64]
        switch data.elements {
        case .reals(let values):
            result = positions(values, extent, inner, target.count) { candidate, best in
                Self.isBetter(candidate, than: best) || (candidate.isNaN && !best.isNaN)
            }
        case .integers(let values):
            let order = IntegerOrder(data.elementType)
            result = positions(values, extent, inner, target.count) {
                Self.isBetter($0, than: $1, order: order)
            }
        }
        return [ExactTensor(integers: result, shape: target, elementType: .int64)]
    }

    @_semantics("optimize.sil.specialize.generic.never")
    private func positions<Value: Equatable>(
        _ values: [Value], _ extent: Int, _ inner: Int, _ count: Int, isBetter: (Value, Value) -> Bool
    ) -> [Int64] {
        (0..<count).map { index in
            let base = index / inner * inner * extent + index % inner
            var best = 0
            for position in 0..<extent {
                let (candidate, present) = (values[base + position * inner], values[base + best * inner])
                if isBetter(candidate, present) || (selectsLast && candidate == present) { best = position }
            }
            return Int64(best)
        }
    }
}

/// The greatest: see `ArgReduction`. Source: ONNX ArgMax-1, 11, 12, 13.
package struct ArgMax: ArgReduction {
    package static let type = "ArgMax"
    package let axis: Int
    package let keepsDimensions: Bool
    package let selectsLast: Bool
    package init(axis: Int, keepsDimensions: Bool, selectsLast: Bool) {
        (self.axis, self.keepsDimensions, self.selectsLast) = (axis, keepsDimensions, selectsLast)
    }
    package static func isBetter(_ a: Double, than b: Double) -> Bool { a > b }
    package static func isBetter(_ a: Int64, than b: Int64, order: IntegerOrder) -> Bool {
        order.isLess(b, a)
    }
}

/// The least: see `ArgReduction`. Source: ONNX ArgMin-1, 11, 12, 13.
package struct ArgMin: ArgReduction {
    package static let type = "ArgMin"
    package let axis: Int
    package let keepsDimensions: Bool
    package let selectsLast: Bool
    package init(axis: Int, keepsDimensions: Bool, selectsLast: Bool) {
        (self.axis, self.keepsDimensions, self.selectsLast) = (axis, keepsDimensions, selectsLast)
    }
    package static func isBetter(_ a: Double, than b: Double) -> Bool { a < b }
    package static func isBetter(_ a: Int64, than b: Int64, order: IntegerOrder) -> Bool {
        order.isLess(a, b)
    }
}
