import Tensors

/// y = scale·(x − mean)/√(variance + ε) + bias by each image's own moments in each group of channels.
///
/// Inputs: X [N, C, D1…]; scale and bias, [C] since 21, [num_groups] before. Outputs: Y, shaped as X. Attributes:
/// `num_groups` (required, divides C), `epsilon` (1e-5), `stash_type` (since 21: the precision of the moments; the
/// evaluation's is double). Source: Wu & He 2018; ONNX GroupNormalization-18, 21.
package struct GroupNormalization: Operator {
    package static let type = "GroupNormalization"

    package let groupCount: Int
    package let epsilon: Double
    /// Whether scale and bias have one element a channel rather than a group.
    package let isPerChannel: Bool

    package init(_ attributes: inout AttributeReader) throws(GraphError) {
        guard let count = try attributes.integer("num_groups", in: 1...AttributeReader.maximumExtent) else {
            throw .attribute(Self.type, name: "num_groups", reason: "is required")
        }
        groupCount = count
        epsilon = Double(try attributes.real("epsilon", default: 1e-5))
        isPerChannel = attributes.opset >= 21
        if isPerChannel { attributes.ignore("stash_type") }
    }

    package var inputCount: ClosedRange<Int> { 3...3 }

    package func inferOutputs(_ inputs: [ValueInfo?], outputCount: Int) throws(GraphError) -> [ValueInfo] {
        let x = try required(inputs, 0, "X")
        try requireFloating(x, "X")
        try requireRank(x, "X", 2...Int.max)
        if let channels = x.dimensions?[1].value, !channels.isMultiple(of: groupCount) {
            throw error(
                "the input has \(channels) channels, they cannot be divided into \(groupCount) groups")
        }
        var channels = isPerChannel ? x.dimensions?[1] ?? .unknown : .known(groupCount)
        for (index, name) in [(1, "scale"), (2, "bias")] {
            let parameter = try required(inputs, index, name)
            try requireFloating(parameter, name)
            try requireRank(parameter, name, 1)
            guard let unified = channels.unified(with: parameter.dimensions?[0] ?? .unknown) else {
                throw error("\(name) \(parameter) has not \(channels) elements")
            }
            channels = unified
        }
        return [try output(x.elementType, x.dimensions)]
    }

    package func evaluate(_ inputs: [ExactTensor?], outputCount: Int) throws(GraphError) -> [ExactTensor] {
        let shape = try outputShape(inputs)
        var values = try reals(inputs, 0, "X")
        let (scale, shift) = (try reals(inputs, 1, "scale"), try reals(inputs, 2, "bias"))
        let inner = shape.dimensions.dropFirst(2).reduce(1, *)
        let channels = shape[1]
        let run = channels / groupCount * inner
        for row in 0..<(values.isEmpty ? 0 : shape[0] * groupCount) {
            let range = row * run..<(row + 1) * run
            let moments = Moments(values[range], epsilon: epsilon)
            for index in range {
                let parameter = isPerChannel ? index / inner % channels : row % groupCount
                values[index] = scale[parameter] * moments.normalized(values[index]) + shift[parameter]
            }
        }
        return [
            ExactTensor(reals: values, shape: shape, elementType: try tensor(inputs, 0, "X").elementType)
        ]
    }
}
