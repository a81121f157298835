import Tensors

/// y = scale·(x − mean)/√(variance + ε) + B by each image's and channel's own moments.
///
/// Inputs: input [N, C, D1…], scale and B [C]. Outputs: output, shaped as input. Attributes: `epsilon` (1e-5).
/// Source: Ulyanov et al. 2016; ONNX InstanceNormalization-6, 22.
package struct InstanceNormalization: Operator {
    package static let type = "InstanceNormalization"

    package let epsilon: Double

    package init(_ attributes: inout AttributeReader) throws(GraphError) {
        epsilon = Double(try attributes.real("epsilon", default: 1e-5))
    }

    package var inputCount: ClosedRange<Int> { 3...3 }

    package func inferOutputs(_ inputs: [ValueInfo?], outputCount: Int) throws(GraphError) -> [ValueInfo] {
        let input = try required(inputs, 0, "input")
        try requireFloating(input, "input")
        try requireRank(input, "input", 2...Int.max)
        var dimensions = input.dimensions
        var channels = dimensions?[1] ?? .unknown
        for (index, name) in [(1, "scale"), (2, "B")] {
            let parameter = try required(inputs, index, name)
            try requireFloating(parameter, name)
            channels = try unifyChannels(channels, parameter, name)
        }
        dimensions?[1] = channels
        return [try output(input.elementType, dimensions)]
    }

    package func evaluate(_ inputs: [ExactTensor?], outputCount: Int) throws(GraphError) -> [ExactTensor] {
        let shape = try outputShape(inputs)
        var values = try reals(inputs, 0, "input")
        let (scale, shift) = (try reals(inputs, 1, "scale"), try reals(inputs, 2, "B"))
        let inner = shape.dimensions.dropFirst(2).reduce(1, *)
        for row in 0..<(values.isEmpty ? 0 : shape[0] * shape[1]) {
            let range = row * inner..<(row + 1) * inner
            let moments = Moments(values[range], epsilon: epsilon)
            let channel = row % shape[1]
            for index in range {
                values[index] = scale[channel] * moments.normalized(values[index]) + shift[channel]
            }
        }
        return [
            ExactTensor(reals: values, shape: shape, elementType: try tensor(inputs, 0, "input").elementType)
        ]
    }
}
