import Graph
import Tensors

/// An affine and the node before it, once everything holds that every fold into that node needs: nobody else depends
/// on the value between them.
struct BackwardSite {
    let affineNode: Node
    let affine: Affine
    let producer: Node
    /// The value that the affine defines; the folded node will.
    let output: String

    /// `nil` when `node` is no affine or another type of node precedes it.
    init?(at node: Node, after type: String, in context: FoldContext) throws(FoldRefusal) {
        guard let affine = node.operation as? Affine, let input = node.input(0),
            let output = node.outputs.first ?? nil,
            let producer = context.index.producer(of: input), producer.type == type
        else { return nil }
        self.affineNode = node
        self.affine = affine
        self.producer = producer
        self.output = output
        try context.requireSoleUse(of: input, by: node)
        guard affine.axis == 1 else {
            throw FoldRefusal(
                "the channels are on axis \(affine.axis), those of \(type) on axis 1",
                blockedBy: producer.name)
        }
    }

    var channelCount: Int { affine.scale.count }

    func requireChannels(_ count: Int, of role: String) throws(FoldRefusal) {
        guard count == channelCount else {
            throw FoldRefusal(
                "the \(role) has \(count) output channels, the BatchNormalization has \(channelCount)",
                blockedBy: producer.name)
        }
    }

    /// The edit after which `producer` defines the affine's output with a new weight and bias, and the affine is gone.
    ///
    /// The node keeps its name; the constants get new ones, since they changed.
    func replacingProducer(
        weight: Tensor, bias: Tensor, attributes: [String: Attribute]? = nil, in context: FoldContext
    ) throws(FoldRefusal) -> FoldProposal? {
        guard let input = producer.input(0), let oldWeight = producer.input(1) else { return nil }
        let weightName = context.unusedValueName(producer.name + "_weight")
        let biasName = context.unusedValueName(producer.name + "_bias")
        let folded = try Node.made(
            name: producer.name, domain: producer.domain, type: producer.type,
            attributes: attributes ?? producer.attributes, opset: context.graph.opset,
            inputs: [input, weightName, biasName], outputs: [output])
        return FoldProposal(
            edit: GraphEdit(
                removedNodes: [affineNode.identifier], replacements: [producer.identifier: folded],
                insertedConstants: [weightName: weight, biasName: bias]),
            effect: .absorbed(
                Absorption(
                    node: producer.name, input: input, output: output,
                    clonedByteCount: context.isShared(oldWeight, besides: producer) ? weight.byteCount : 0)))
    }
}

extension Node {
    /// A node of an edit; an operator that refuses its attributes is a reason not to fold.
    static func made(
        name: String, domain: String = "", type: String, attributes: [String: Attribute] = [:], opset: Int,
        inputs: [String?], outputs: [String?], sources: [Node] = []
    ) throws(FoldRefusal) -> Node {
        do {
            return try Node(
                name: name, domain: domain, type: type, attributes: attributes, opset: opset, inputs: inputs,
                outputs: outputs, sources: sources)
        } catch {
            throw FoldRefusal("the folded node is not valid: \(error)", blockedBy: name)
        }
    }
}
