import Tensors

/// What an operation makes of each element and all before it along an axis.
///
/// Inputs: x, any number type; axis, int32 or int64, one element. Outputs: y, as x. Attributes: `exclusive` (0: without
/// the element itself), `reverse` (0: from the end).
package protocol Cumulative: Operator {
    var isExclusive: Bool { get }
    var isReversed: Bool { get }
    init(isExclusive: Bool, isReversed: Bool)
    /// What nothing combines to.
    static var neutral: Int { get }
    static func combine(_ a: Double, _ b: Double) -> Double
    static func combine(_ a: Int64, _ b: Int64) -> Int64
}

extension Cumulative {
    package init(_ attributes: inout AttributeReader) throws(GraphError) {
        self.init(
            isExclusive: try attributes.flag("exclusive", default: false),
            isReversed: try attributes.flag("reverse", default: false))
    }

    package var inputCount: ClosedRange<Int> { 2...2 }

    @_semantics("optimize.sil.specialize.generic.never")
    package func inferOutputs(_ inputs: [ValueInfo?], outputCount: Int) throws(GraphError) -> [ValueInfo] {
        let (x, axis) = (try required(inputs, 0, "x"), try required(inputs, 1, "axis"))
        try requireNumbers(x, "x")
        try requireType(axis, "axis", .int64, .int32)
        try requireOneElement(axis, "axis")
        if let known = axis.knownElements?.first, let rank = x.rank { _ = try normalized(known, rank: rank) }
        return [try output(x.elementType, x.dimensions)]
    }

    @_semantics("optimize.sil.specialize.generic.never")
    package func evaluate(_ inputs: [ExactTensor?], outputCount: Int) throws(GraphError) -> [ExactTensor] {
        let shape = try outputShape(inputs)
        let x = try tensor(inputs, 0, "x")
        let axis = try normalized(Int(try optionalInteger(inputs, 1, "axis") ?? 0), rank: shape.rank)
        let rows = AxisRows(shape, axis: axis)
        switch x.elements {
        case .reals(let values):
            let result = accumulated(values, rows, from: Double(Self.neutral)) { Self.combine($0, $1) }
            return [ExactTensor(reals: result, shape: shape, elementType: x.elementType)]
        case .integers(let values):
            let result = accumulated(values, rows, from: Int64(Self.neutral)) { Self.combine($0, $1) }
            return [ExactTensor(integers: result, shape: shape, elementType: x.elementType)]
        }
    }

    @_semantics("optimize.sil.specialize.generic.never")
    private func accumulated<Value>(
        _ values: [Value], _ rows: AxisRows, from neutral: Value, combine: (Value, Value) -> Value
    ) -> [Value] {
        var result = values
        for row in 0..<rows.count {
            var total = neutral
            for position in 0..<rows.extent {
                let index = isReversed ? rows.extent - 1 - position : position
                let offset = rows.offset(row) + index * rows.step
                let next = combine(total, values[offset])
                result[offset] = isExclusive ? total : next
                total = next
            }
        }
        return result
    }
}

/// Sums: see `Cumulative`. Source: ONNX CumSum-11, 14.
package struct CumSum: Cumulative {
    package static let type = "CumSum"
    package static let neutral = 0
    package let isExclusive: Bool
    package let isReversed: Bool
    package init(isExclusive: Bool, isReversed: Bool) {
        (self.isExclusive, self.isReversed) = (isExclusive, isReversed)
    }
    package static func combine(_ a: Double, _ b: Double) -> Double { a + b }
    package static func combine(_ a: Int64, _ b: Int64) -> Int64 { a &+ b }
}

/// Products: see `Cumulative`. Source: ONNX CumProd-26.
package struct CumProd: Cumulative {
    package static let type = "CumProd"
    package static let neutral = 1
    package let isExclusive: Bool
    package let isReversed: Bool
    package init(isExclusive: Bool, isReversed: Bool) {
        (self.isExclusive, self.isReversed) = (isExclusive, isReversed)
    }
    package static func combine(_ a: Double, _ b: Double) -> Double { a * b }
    package static func combine(_ a: Int64, _ b: Int64) -> Int64 { a &* b }
}
