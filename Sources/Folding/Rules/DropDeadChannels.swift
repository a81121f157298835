import Graph
import Tensors

/// Takes channels out that an affine makes constant: the rows of the layer before it that compute them, and the columns
/// of the layer behind it that read them.
///
///     a_d = 0:   W·f(a⊙x + b) + c  =  W[kept]·f((a⊙x + b)[kept]) + (c + Σ_{d,k} W[:,d,k]·f(b_d))
///
/// Between the two layers may stand operators that treat every channel by itself (`DeadChannelPath`). It comes before the
/// layer takes the affine: only here is a 0 known to be one, and not a small number that was rounded.
///
/// Exact where the model computes finite numbers: 0·x is 0 then. A NaN or an ∞ that the layer before makes of a channel is
/// NaN in that channel, and is gone with it; that its own weights make any is refused.
/// It pays where whole blocks of channels go: engines compute up to 16 together, and a count that is no multiple any more
/// costs more than it saves.
/// Refuses: layers other than Conv of one group and Gemm; a value that anything else reads or that is a graph output;
/// a constant other than 0 where a padded convolution reads it, for its padding is 0; weights that are shared, not
/// constant or not finite; fewer channels than a block, or all.
struct DropDeadChannels: FoldRule {
    /// What a count of channels that it divides stays divisible by: the first that does.
    static let blockSizes = [16, 8, 4]

    let name = "drop-dead-channels"

    func proposal(at node: Node, in context: FoldContext) throws(FoldRefusal) -> FoldProposal? {
        guard let affine = node.operation as? Affine, affine.scale.contains(0), let input = node.input(0),
            let output = node.outputs.first ?? nil, let producer = context.index.producer(of: input)
        else { return nil }
        try context.requireSoleUse(of: input, by: node)
        let before = try DenseLayer(producer, in: context)
        guard affine.axis == 1, before.rowCount == affine.scale.count else {
            throw FoldRefusal("the channels are on axis \(affine.axis)", blockedBy: producer.name)
        }
        var path = try DeadChannelPath(from: output, affine, in: context)
        let behind = try DenseLayer(path.end, in: context)
        guard behind.columnCount == affine.scale.count else {
            throw FoldRefusal("it reads other channels", blockedBy: path.end.name)
        }
        if behind.isPadded { path.keepOnlyZeros() }
        let dropped = try Self.wholeBlocks(of: path.constants.keys.sorted(), among: affine.scale.count, path)
        let kept = affine.scale.indices.filter { !dropped.contains($0) }
        guard before.rowsAreFinite(dropped), behind.columnsAreFinite(dropped) else {
            throw FoldRefusal("a weight that would go is not finite")
        }
        var edit = DropEdit(context)
        let rest = affine.selecting(kept)
        let name = edit.replace(before.node, try before.keepingRows(kept, &edit), reading: nil)
        var value = edit.replace(
            node,
            try Node.made(
                name: node.name, domain: Affine.domain, type: Affine.type,
                attributes: Affine.attributes(scale: rest.scale, shift: rest.shift, axis: rest.axis),
                opset: context.graph.opset, inputs: node.inputs, outputs: node.outputs), reading: name)
        for passed in path.nodes { value = edit.replace(passed, passed, reading: value) }
        var constants = affine.scale.map { _ in 0.0 }
        for channel in dropped { constants[channel] = path.constants[channel] ?? 0 }
        let last = try behind.keepingColumns(kept, adding: constants, &edit)
        edit.keep(path.end, last, reading: value)
        return FoldProposal(
            edit: edit.edit,
            effect: .droppedChannels(
                ChannelDrop(
                    count: dropped.count, input: producer.input(0), output: path.output,
                    values: edit.values)))
    }

    private static func wholeBlocks(
        of candidates: [Int], among count: Int, _ path: DeadChannelPath
    ) throws(FoldRefusal) -> Set<Int> {
        guard !candidates.isEmpty else {
            throw FoldRefusal("its padding is 0 and the constants are not", blockedBy: path.end.name)
        }
        guard candidates.count < count else {
            throw FoldRefusal("every channel is constant", blockedBy: path.end.name)
        }
        let block = blockSizes.first { count.isMultiple(of: $0) } ?? 1
        let most = candidates.count / block * block
        guard most > 0 else {
            throw FoldRefusal(
                "\(candidates.count) of \(count) channels can go, and engines compute \(block) together",
                blockedBy: path.end.name)
        }
        return Set(candidates.prefix(most))
    }
}

/// The edit while it is made.
struct DropEdit {
    private let context: FoldContext
    private(set) var edit = GraphEdit()
    /// The values that have fewer channels, by the names that they had and that they have.
    private(set) var values: Set<String> = []
    private var names: Set<String> = []

    init(_ context: FoldContext) { self.context = context }

    /// Puts `replacement` where `node` is; its value, which has another name now, is returned.
    mutating func replace(_ node: Node, _ replacement: Node, reading value: String?) -> String {
        var replacement = replacement
        if let value { replacement.inputs[0] = value }
        let old = (node.outputs.first ?? nil) ?? node.name
        let name = unusedName(old + "_kept")
        replacement.outputs[0] = name
        values.formUnion([old, name])
        edit.replacements[node.identifier] = replacement
        return name
    }

    /// The same for the node whose value stays what it is.
    mutating func keep(_ node: Node, _ replacement: Node, reading value: String) {
        var replacement = replacement
        replacement.inputs[0] = value
        edit.replacements[node.identifier] = replacement
    }

    /// The name of a new constant.
    mutating func constant(_ stem: String, _ tensor: Tensor) -> String {
        let name = unusedName(stem)
        edit.insertedConstants[name] = tensor
        return name
    }

    private mutating func unusedName(_ stem: String) -> String {
        let name = context.unusedValueName(stem, besides: names)
        names.insert(name)
        return name
    }
}
