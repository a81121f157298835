import Graph
import Tensors

/// An affine and the node before it, once everything holds that every fold into that node needs: nobody else depends
/// on a value between them.
///
/// Between them may stand a few nodes that leave every channel what it is (see `BackwardWalk`), and, in mixed precision,
/// a Cast to a wider type when the affine's only reader casts back.
struct BackwardSite {
    let affineNode: Node
    /// On the axis of the producer's output.
    private(set) var affine: Affine
    let producer: Node
    /// The value that the folded piece will define: the affine's, or that of the Cast behind it.
    let output: String
    /// From the producer on.
    private let path: [Node]
    /// The affine's node, or the Cast behind it.
    private let end: Node

    /// `nil` when `node` is no affine or another type of node precedes it.
    init?(at node: Node, after type: String, in context: FoldContext) throws(FoldRefusal) {
        guard let affine = node.operation as? Affine, let output = node.outputs.first ?? nil,
            let walk = BackwardWalk(from: node, affine, to: type, in: context)
        else { return nil }
        affineNode = node
        self.affine = walk.affine
        producer = walk.producer
        path = walk.path
        for (value, reader) in walk.links { try context.requireSoleUse(of: value, by: reader) }
        guard path.contains(where: { $0.operation is Cast }) else {
            self.output = output
            end = node
            return
        }
        let type = walk.links.last.flatMap { context.values[$0.value]?.elementType }
        guard let type, let reader = context.index.consumers(of: output).first, reader.operation is Cast,
            let narrowed = reader.outputs.first ?? nil, context.values[narrowed]?.elementType == type
        else {
            throw FoldRefusal(
                "what follows is not cast back to the element type of \(producer.type)",
                blockedBy: path.first { $0.operation is Cast }?.name)
        }
        try context.requireSoleUse(of: output, by: reader)
        self.output = narrowed
        end = reader
    }

    /// The node that `init` would find, before anything is required of the way to it.
    static func producer(before node: Node, type: String, in context: FoldContext) -> Node? {
        guard let affine = node.operation as? Affine else { return nil }
        return BackwardWalk(from: node, affine, to: type, in: context)?.producer
    }

    var channelCount: Int { affine.scale.count }

    /// Throws unless the affine's channels are the `count` ones of the producer's output axis `axis`.
    ///
    /// An affine that does the same to every channel is on whichever axis it is wanted.
    mutating func requireChannels(_ count: Int, axis: Int = 1, of role: String) throws(FoldRefusal) {
        if let uniform = affine.spread(over: count, axis: axis) {
            affine = uniform
            return
        }
        guard affine.axis == axis else {
            throw FoldRefusal(
                "the channels are on axis \(affine.axis), those of \(producer.type) on axis \(axis)",
                blockedBy: producer.name)
        }
        guard count == channelCount else {
            throw FoldRefusal(
                "the \(role) has \(count) output channels, the \(affineNode.affineDescription) has \(channelCount)",
                blockedBy: producer.name)
        }
    }

    /// The value that the folded producer defines: `output`, unless nodes follow that stay.
    func producedName(in context: FoldContext) -> String {
        carriers.isEmpty ? output : context.unusedValueName(producer.name + "_folded")
    }

    /// The part of the edit behind the folded producer: the affine is gone, and so are the casts; transposes read
    /// `produced`, and the last one defines `output`.
    func finish(_ edit: inout GraphEdit, from produced: String, in context: FoldContext) {
        let places = Set(edit.replacements.keys)
        let gone = Set((path.filter { $0.operation is Cast } + [affineNode, end]).map(\.identifier))
        edit.removedNodes.formUnion(gone.subtracting(places))
        var value = produced
        for (position, carrier) in carriers.enumerated() {
            let isLast = position == carriers.count - 1
            var replacement = carrier
            replacement.inputs[0] = value
            value = isLast ? output : context.unusedValueName(carrier.name + "_folded")
            replacement.outputs = [value]
            edit.replacements[carrier.identifier] = replacement
        }
    }

    private var carriers: [Node] { path.filter { !($0.operation is Cast) } }

    /// The edit after which `producer` defines the affine's output with a new weight and bias, and the affine is gone.
    ///
    /// The node keeps its name; the constants get new ones, since they changed.
    func replacingProducer(
        weight: Tensor, bias: Tensor, attributes: [String: Attribute]? = nil, in context: FoldContext
    ) throws(FoldRefusal) -> FoldProposal? {
        guard let input = producer.input(0), let oldWeight = producer.input(1) else { return nil }
        let weightName = context.unusedValueName(producer.name + "_weight")
        let biasName = context.unusedValueName(producer.name + "_bias")
        let produced = producedName(in: context)
        let folded = try Node.made(
            name: producer.name, domain: producer.domain, type: producer.type,
            attributes: attributes ?? producer.attributes, opset: context.graph.opset,
            inputs: [input, weightName, biasName], outputs: [produced])
        var edit = GraphEdit(
            replacements: [producer.identifier: folded],
            insertedConstants: [weightName: weight, biasName: bias])
        finish(&edit, from: produced, in: context)
        return FoldProposal(
            edit: edit,
            effect: .absorbed(
                Absorption(
                    node: producer.name, input: input, output: output,
                    clonedByteCount: context.isShared(oldWeight, besides: producer) ? weight.byteCount : 0,
                    scale: affine.scale)))
    }
}

extension Affine {
    /// The same function with `count` channels on `axis`, when it does the same to every channel.
    func spread(over count: Int, axis: Int) -> Affine? {
        guard let scale = scale.first, let shift = shift.first, count > 0,
            self.scale.allSatisfy({ $0 == scale }), self.shift.allSatisfy({ $0 == shift })
        else { return nil }
        return Affine(
            scale: [Double](repeating: scale, count: count), shift: [Double](repeating: shift, count: count),
            axis: axis)
    }
}

extension Node {
    /// What an affine is called in a reason: the operators that it was recognised from.
    var affineDescription: String {
        sources.isEmpty ? "BatchNormalization" : sources.map(\.type).joined(separator: " → ")
    }

    /// Whether an affine stands for arithmetic alone, whose nodes can take its place again.
    var isRecognisedArithmetic: Bool {
        operation is Affine && !sources.isEmpty && !sources.contains { $0.type == "BatchNormalization" }
    }

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
