import Graph

/// Folds an affine into the operators behind it, when every one of them takes it.
///
///     f(a⊙x + b) = f′(x)
///
/// `ForwardSteps` lists the operators that take it into their parameters and those that it passes on the way there.
/// Refuses: the affine's value, or one that it passes, as a graph output; an operator on the way that can neither take
/// it nor let it through, with that node's name. Then nothing changes, whoever else could have taken it.
struct FoldForward: FoldRule {
    let name = "batchnorm-forward"
    let isForward = true

    func proposal(at node: Node, in context: FoldContext) throws(FoldRefusal) -> FoldProposal? {
        guard let affine = node.operation as? Affine, let input = node.input(0),
            let output = node.outputs.first ?? nil
        else { return nil }
        let plan = try ForwardPlan(
            from: output, to: input, affine: affine,
            // A sum costs what the node would that takes its place.
            mayAddNodes: !node.isRecognisedArithmetic || affine.hasScale, in: context)
        var edit = plan.edit
        edit.removedNodes.insert(node.identifier)
        if let only = plan.absorbers.first, plan.absorbers.count == 1, only.operation is Affine {
            return FoldProposal(edit: edit, effect: .composed(into: only.identifier))
        }
        return FoldProposal(
            edit: edit,
            effect: .absorbed(plan.absorption(of: affine, input: input, output: output, rule: name)))
    }
}

extension ForwardPlan {
    /// What a report says of the affine between `input` and `output` when this plan is carried out.
    func absorption(of affine: Affine, input: String, output: String, rule: String) -> Absorption {
        var types: [String] = []
        for type in absorbers.map({ $0.type.lowercased() }) where !types.contains(type) { types.append(type) }
        let taken = absorbers.lazy.flatMap(\.outputs).compactMap { $0 }.first { keepsName($0) }
        var absorption = Absorption(
            node: absorbers.first?.name ?? "", input: input, output: taken ?? output,
            clonedByteCount: clonedByteCount, scale: affine.scale)
        absorption.replacedValues = replacedValues
        absorption.consumers = absorbers.map(\.name)
        absorption.rule = types.isEmpty ? rule : "\(rule)-into-\(types.joined(separator: "-and-"))"
        return absorption
    }

    /// Whether a node of the edit defines `value`.
    private func keepsName(_ value: String) -> Bool {
        edit.replacements.values.contains { $0.outputs.contains(value) }
            || edit.insertedNodes.contains { $0.outputs.contains(value) }
    }
}
