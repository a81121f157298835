import Tensors

/// The input divided by its p-norm along `axis`; a row whose norm is 0 stays 0.
///
/// Inputs: input, floating. Outputs: output, shaped as input. Attributes: `axis` (−1), `p` (2; 1 or 2).
/// Source: ONNX LpNormalization-1, 22.
package struct LpNormalization: Operator {
    package static let type = "LpNormalization"

    package let axis: Int
    package let p: Int

    package init(_ attributes: inout AttributeReader) throws(GraphError) {
        axis = try attributes.integer("axis", default: -1)
        p = try attributes.integer("p", default: 2, in: 1...2)
    }

    package var inputCount: ClosedRange<Int> { 1...1 }

    package func inferOutputs(_ inputs: [ValueInfo?], outputCount: Int) throws(GraphError) -> [ValueInfo] {
        let input = try required(inputs, 0, "input")
        try requireFloating(input, "input")
        if let rank = input.rank { _ = try normalized(axis, rank: rank) }
        return [try output(input.elementType, input.dimensions)]
    }

    package func evaluate(_ inputs: [ExactTensor?], outputCount: Int) throws(GraphError) -> [ExactTensor] {
        let shape = try outputShape(inputs)
        var values = try reals(inputs, 0, "input")
        let axis = try normalized(axis, rank: shape.rank)
        let (extent, inner) = (shape[axis], shape.dimensions[(axis + 1)...].reduce(1, *))
        for row in 0..<(values.isEmpty ? 0 : values.count / extent) {
            let base = row / inner * inner * extent + row % inner
            let indices = stride(from: base, to: base + extent * inner, by: inner)
            let norm =
                p == 1
                ? indices.reduce(0) { $0 + values[$1].magnitude }
                : indices.reduce(0) { $0 + values[$1] * values[$1] }.squareRoot()
            for index in indices where norm != 0 { values[index] /= norm }
        }
        return [
            ExactTensor(reals: values, shape: shape, elementType: try tensor(inputs, 0, "input").elementType)
        ]
    }
}
