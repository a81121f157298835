import Tensors

/// y = (x − mean)/(standard deviation + 1e-9) by the moments over `axes`.
///
/// Inputs: X, floating. Outputs: Y, shaped as X. Attributes: `axes` ([0, 2, 3]).
/// Source: ONNX MeanVarianceNormalization-9, 13.
package struct MeanVarianceNormalization: Operator {
    package static let type = "MeanVarianceNormalization"

    package let axes: [Int]

    /// What the standard's function adds to the deviation.
    private static let epsilon = 1e-9

    package init(_ attributes: inout AttributeReader) throws(GraphError) {
        axes = try attributes.integers("axes") ?? [0, 2, 3]
    }

    package var inputCount: ClosedRange<Int> { 1...1 }

    package func inferOutputs(_ inputs: [ValueInfo?], outputCount: Int) throws(GraphError) -> [ValueInfo] {
        let x = try required(inputs, 0, "X")
        try requireFloating(x, "X")
        if let rank = x.rank { _ = try normalized(axes, rank: rank) }
        return [try output(x.elementType, x.dimensions)]
    }

    package func evaluate(_ inputs: [ExactTensor?], outputCount: Int) throws(GraphError) -> [ExactTensor] {
        let shape = try outputShape(inputs)
        let x = try tensor(inputs, 0, "X")
        let stated = try normalized(axes, rank: shape.rank).sorted()
        // The standard's function is made of ReduceMean, to which no axes are all axes.
        let reduced = stated.isEmpty ? Array(0..<shape.rank) : stated
        let order = shape.dimensions.indices.filter { !reduced.contains($0) } + reduced
        // With the normalized axes last, the elements of each moment lie together.
        let movedShape = try checkedShape(order.map { shape[$0] })
        var values = try reals([x.transposed(order, to: movedShape)], 0, "X")
        let run = reduced.reduce(1) { $0 * shape[$1] }
        for first in stride(from: 0, to: values.count, by: max(1, run)) {
            let range = first..<first + run
            let moments = Moments(values[range], epsilon: 0)
            let divisor = 1 / moments.inverseDeviation + Self.epsilon
            for index in range { values[index] = (values[index] - moments.mean) / divisor }
        }
        let moved = ExactTensor(reals: values, shape: movedShape, elementType: x.elementType)
        let inverse = shape.dimensions.indices.map { axis in order.firstIndex(of: axis) ?? axis }
        return [moved.transposed(inverse, to: shape)]
    }
}
