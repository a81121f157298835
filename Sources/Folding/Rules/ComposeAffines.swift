import Graph

/// Makes one affine of two that follow each other.
///
///     a₂(a₁x + b₁) + b₂ = (a₂a₁)x + (a₂b₁ + b₂)
///
/// Not when anything else depends on the value between them: each then is a case of its own.
/// Refuses: different channel axes; a composed scale or shift that is not finite.
struct ComposeAffines: FoldRule {
    let name = "compose-affines"

    func proposal(at node: Node, in context: FoldContext) throws(FoldRefusal) -> FoldProposal? {
        guard let first = node.operation as? Affine, let input = node.input(0),
            let between = node.outputs.first, let between,
            let next = context.index.consumer(of: between, besides: node),
            let second = next.operation as? Affine,
            context.index.consumer(of: between, besides: next) == nil, !context.index.isGraphOutput(between)
        else { return nil }
        guard first.axis == second.axis, first.scale.count == second.scale.count else {
            throw FoldRefusal("the next one's channels are on another axis", blockedBy: next.name)
        }
        let scale = zip(first.scale, second.scale).map { $0 * $1 }
        let shift = first.shift.indices.map { second.scale[$0] * first.shift[$0] + second.shift[$0] }
        guard scale.allSatisfy(\.isFinite), shift.allSatisfy(\.isFinite) else {
            throw FoldRefusal("the product with the next one is not finite", blockedBy: next.name)
        }
        let composed = try Node.made(
            name: next.name, domain: Affine.domain, type: Affine.type,
            attributes: Affine.attributes(scale: scale, shift: shift, axis: second.axis),
            opset: context.graph.opset, inputs: [input], outputs: next.outputs)
        return FoldProposal(
            edit: GraphEdit(
                removedNodes: [node.identifier], replacements: [next.identifier: composed]),
            effect: .composed(into: next.identifier))
    }
}
