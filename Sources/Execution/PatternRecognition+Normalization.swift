import Graph
import Tensors

/// A GroupNormalization that several nodes spell.
struct RecognizedNormalization {
    let source: String
    let groupCount: Int
    let epsilon: Double
    /// [channels] each.
    var scale: [Float]
    var bias: [Float]
}

/// As PyTorch's exporter spells it where the operator set has none for each channel.
extension PatternRecognition {
    /// [N, C, …] seen as [N, groups, …], each normalized, and back.
    mutating func groupNormalization(_ node: Node) throws(GraphError) -> Node? {
        guard let inner = producer(node.input(0), "InstanceNormalization"),
            let operation = inner.operation as? InstanceNormalization,
            let split = producer(inner.input(0), "Reshape"), let source = split.input(0), isFloat(source),
            let whole = values[source]?.dimensions, whole.count >= 3, !whole.contains(.unknown),
            values[node.outputs[0] ?? ""]?.dimensions == whole,
            let parts = values[split.outputs[0] ?? ""]?.dimensions, parts.count >= 3, parts[0] == whole[0],
            let channels = whole[1].value, let groups = parts[1].value, groups > 0,
            channels > 0, channels.isMultiple(of: groups),
            let scale = index.graph.constantFloats(inner.input(1)),
            let bias = index.graph.constantFloats(inner.input(2)), scale.count == groups,
            bias.count == groups
        else { return nil }
        let size = channels / groups
        return try normalization(
            RecognizedNormalization(
                source: source, groupCount: groups, epsilon: operation.epsilon,
                scale: (0..<channels).map { scale[$0 / size] }, bias: (0..<channels).map { bias[$0 / size] }),
            node)
    }

    /// A Mul or an Add of a constant for each channel behind what was recognised.
    mutating func normalizationTaking(_ node: Node) throws(GraphError) -> Node? {
        for (position, operand) in node.inputs.enumerated() where node.inputs.count == 2 {
            guard let operand, var recognized = normalized[operand], index.consumers(of: operand).count == 1,
                !index.isGraphOutput(operand), let rank = values[operand]?.dimensions?.count,
                let constants = channelFloats(node.inputs[1 - position], recognized.scale.count, rank)
            else { continue }
            for (channel, constant) in constants.enumerated() {
                if node.type == "Mul" {
                    recognized.scale[channel] *= constant
                    recognized.bias[channel] *= constant
                } else {
                    recognized.bias[channel] += constant
                }
            }
            return try normalization(recognized, node)
        }
        return nil
    }

    private mutating func normalization(
        _ recognized: RecognizedNormalization, _ node: Node
    ) throws(GraphError) -> Node? {
        guard let output = node.outputs[0] else { return nil }
        normalized[output] = recognized
        let (scale, bias) = (unusedName("scale of \(output)"), unusedName("bias of \(output)"))
        edit.insertedConstants[scale] = Tensor(recognized.scale)
        edit.insertedConstants[bias] = Tensor(recognized.bias)
        return try Node(
            name: node.name, type: "GroupNormalization",
            attributes: [
                "num_groups": .integer(Int64(recognized.groupCount)),
                "epsilon": .real(Float(recognized.epsilon)),
            ], opset: 21, inputs: [recognized.source, scale, bias], outputs: [output])
    }

    /// The elements of a constant that is one for each channel of a value of `rank` axes, the channels being axis 1.
    private func channelFloats(_ name: String?, _ channels: Int, _ rank: Int) -> [Float]? {
        guard let shape = index.graph.fixedConstant(name)?.shape.dimensions, shape.count <= rank else {
            return nil
        }
        let padded = [Int](repeating: 1, count: rank - shape.count) + shape
        guard padded == [1, channels] + [Int](repeating: 1, count: rank - 2) else { return nil }
        return index.graph.constantFloats(name)
    }
}
