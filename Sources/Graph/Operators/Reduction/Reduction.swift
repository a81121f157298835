import Tensors

/// An operator that makes one number of all elements along some axes.
///
/// Inputs: data; axes (int64, since 18, for ReduceSum since 13; optional). Outputs: reduced. Attributes: `axes` (before
/// that), `keepdims` (1: the axes stay with extent 1), `noop_with_empty_axes` (0: without axes all are reduced; 1: none).
/// Types: any number type; `bool` where an operator says so. Integers wrap.
package protocol Reduction: Operator {
    var axes: ReducedAxes { get }
    init(axes: ReducedAxes)

    static var firstOpsetWithAxesInput: Int { get }
    static var takesBooleans: Bool { get }

    static func reduce(_ values: ArraySlice<Double>) -> Double
    static func reduce(_ values: ArraySlice<Int64>, order: IntegerOrder) -> Int64
}

/// Which axes a reduction takes away.
package struct ReducedAxes: Sendable {
    package let keepsDimensions: Bool
    package let isIdentityWithoutAxes: Bool
    let parameter: AxesParameter

    init(_ attributes: inout AttributeReader, firstOpsetWithInput: Int) throws(GraphError) {
        parameter = try AxesParameter(&attributes, input: 1, sinceOpset: firstOpsetWithInput)
        keepsDimensions = try attributes.flag("keepdims", default: true)
        isIdentityWithoutAxes =
            attributes.opset >= firstOpsetWithInput
            ? try attributes.flag("noop_with_empty_axes", default: false) : false
    }

    /// The axes as the attribute states them; `nil`: all, or an input's.
    package var stated: [Int]? { parameter.stated }

    /// The axes of a tensor of this rank, in order.
    func resolved(
        _ stated: [Int]?, rank: Int, of operation: some Operator
    ) throws(GraphError) -> [Int] {
        guard let stated, !stated.isEmpty else { return isIdentityWithoutAxes ? [] : Array(0..<rank) }
        return try operation.normalized(stated, rank: rank).sorted()
    }
}

extension Reduction {
    package init(_ attributes: inout AttributeReader) throws(GraphError) {
        self.init(axes: try ReducedAxes(&attributes, firstOpsetWithInput: Self.firstOpsetWithAxesInput))
    }

    package static var firstOpsetWithAxesInput: Int { 18 }
    package static var takesBooleans: Bool { false }

    /// By way of Double, truncated: for what has no integer meaning of its own.
    @_semantics("optimize.sil.specialize.generic.never")
    package static func reduce(_ values: ArraySlice<Int64>, order: IntegerOrder) -> Int64 {
        let result = reduce(ArraySlice(values.map { order.double($0) }))
        return Int64(exactly: result.rounded(.towardZero)) ?? 0
    }

    package var inputCount: ClosedRange<Int> { axes.parameter.inputIndex == nil ? 1...1 : 1...2 }

    @_semantics("optimize.sil.specialize.generic.never")
    package func inferOutputs(_ inputs: [ValueInfo?], outputCount: Int) throws(GraphError) -> [ValueInfo] {
        let data = try required(inputs, 0, "data")
        if !Self.takesBooleans { try requireNumbers(data, "data") }
        let requested = try axes.parameter.axes(inputs, of: self)
        guard let dimensions = data.dimensions else { return [ValueInfo(data.elementType, nil)] }
        let stated: [Int]?
        switch requested {
        case .absent: stated = nil
        case .known(let axes): stated = axes
        case .unknown:
            let unknown = [Dimension](repeating: .unknown, count: dimensions.count)
            return [ValueInfo(data.elementType, axes.keepsDimensions ? unknown : nil)]
        }
        let reduced = Set(try axes.resolved(stated, rank: dimensions.count, of: self))
        var result: [Dimension] = []
        for (axis, dimension) in dimensions.enumerated() {
            if !reduced.contains(axis) {
                result.append(dimension)
            } else if axes.keepsDimensions {
                result.append(.known(1))
            }
        }
        return [try output(data.elementType, result)]
    }

    @_semantics("optimize.sil.specialize.generic.never")
    package func evaluate(_ inputs: [ExactTensor?], outputCount: Int) throws(GraphError) -> [ExactTensor] {
        let target = try outputShape(inputs)
        let data = try tensor(inputs, 0, "data")
        let reduced = try axes.resolved(
            try axes.parameter.axes(inputs, of: self), rank: data.shape.rank, of: self)
        let kept = data.shape.dimensions.indices.filter { !reduced.contains($0) }
        // With the reduced axes last, each output's elements lie together.
        let order = kept + reduced
        let moved = data.transposed(order, to: try checkedShape(order.map { data.shape[$0] }))
        let run = reduced.reduce(1) { $0 * data.shape[$1] }
        switch moved.elements {
        case .reals(let values):
            let result = (0..<target.count).map { Self.reduce(values[$0 * run..<($0 + 1) * run]) }
            return [ExactTensor(reals: result, shape: target, elementType: data.elementType)]
        case .integers(let values):
            let integerOrder = IntegerOrder(data.elementType)
            let result = (0..<target.count).map {
                Self.reduce(values[$0 * run..<($0 + 1) * run], order: integerOrder)
            }
            return [ExactTensor(integers: result, shape: target, elementType: data.elementType)]
        }
    }
}
