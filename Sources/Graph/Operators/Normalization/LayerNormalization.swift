import Tensors

/// y = (x − mean)/√(variance + ε)·Scale + B by the moments over all axes from `axis` on.
///
/// Inputs: X; Scale and B (optional), broadcast to X's axes from `axis` on. Outputs: Y, shaped as X; Mean and InvStdDev
/// (optional), X's shape with extents of 1 from `axis` on. Attributes: `axis` (−1), `epsilon` (1e-5), `stash_type` (1:
/// the element type of Mean and InvStdDev). Source: Ba et al. 2016; ONNX LayerNormalization-17.
package struct LayerNormalization: Operator {
    package static let type = "LayerNormalization"

    package let axis: Int
    package let epsilon: Double
    private let momentType: ElementType

    package init(_ attributes: inout AttributeReader) throws(GraphError) {
        axis = try attributes.integer("axis", default: -1)
        epsilon = Double(try attributes.real("epsilon", default: 1e-5))
        let number = try attributes.integer("stash_type", default: 1)
        guard let type = ElementType(onnxNumber: number), type.isFloatingPoint else {
            throw .attribute(Self.type, name: "stash_type", reason: "is \(number), expected a floating type")
        }
        momentType = type
    }

    package var inputCount: ClosedRange<Int> { 2...3 }
    package var outputCount: ClosedRange<Int> { 1...3 }

    package func inferOutputs(_ inputs: [ValueInfo?], outputCount: Int) throws(GraphError) -> [ValueInfo] {
        let x = try required(inputs, 0, "X")
        try requireFloating(x, "X")
        var moments: [Dimension]?
        if let dimensions = x.dimensions {
            let axis = try normalized(axis, rank: dimensions.count)
            moments = dimensions.enumerated().map { $0.offset < axis ? $0.element : .known(1) }
            for (index, name) in [(1, "Scale"), (2, "B")] {
                guard let parameter = try optional(inputs, index, name) else { continue }
                try requireBroadcast(parameter.dimensions, name, to: Array(dimensions[axis...]))
            }
        }
        try requireFloating(try required(inputs, 1, "Scale"), "Scale")
        if let shift = try optional(inputs, 2, "B") { try requireFloating(shift, "B") }
        let results = [
            try output(x.elementType, x.dimensions), ValueInfo(momentType, moments),
            ValueInfo(momentType, moments),
        ]
        return Array(results.prefix(max(1, outputCount)))
    }

    package func evaluate(_ inputs: [ExactTensor?], outputCount: Int) throws(GraphError) -> [ExactTensor] {
        let shapes = try outputShapes(inputs, outputCount: 3)
        let x = try tensor(inputs, 0, "X")
        var values = try reals(inputs, 0, "X")
        let axis = try normalized(axis, rank: x.shape.rank)
        let row = try checkedShape(Array(x.shape.dimensions[axis...]))
        let scale = try reals([try tensor(inputs, 1, "Scale").broadcast(to: row)], 0, "Scale")
        let shift = inputs.count > 2 ? inputs[2]?.broadcast(to: row).reals : nil
        var (means, deviations): ([Double], [Double]) = ([], [])
        for first in stride(from: 0, to: shapes[1].count * row.count, by: max(1, row.count)) {
            let moments = Moments(values[first..<first + row.count], epsilon: epsilon)
            means.append(moments.mean)
            deviations.append(moments.inverseDeviation)
            for index in 0..<row.count {
                values[first + index] =
                    moments.normalized(values[first + index]) * scale[index] + (shift?[index] ?? 0)
            }
        }
        // Without elements in a row there is no moment.
        if row.count == 0 {
            means = [Double](repeating: .nan, count: shapes[1].count)
            deviations = means
        }
        let results = [
            ExactTensor(reals: values, shape: x.shape, elementType: x.elementType),
            ExactTensor(reals: means, shape: shapes[1], elementType: momentType),
            ExactTensor(reals: deviations, shape: shapes[2], elementType: momentType),
        ]
        return Array(results.prefix(max(1, outputCount)))
    }
}
