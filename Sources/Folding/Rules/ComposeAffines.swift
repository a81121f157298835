import Graph
import Tensors

/// Makes one affine of two that follow each other.
///
///     a₂(a₁x + b₁) + b₂ = (a₂a₁)x + (a₂b₁ + b₂)
///
/// Not when anything else depends on the value between them: each then is a case of its own. An affine that does the
/// same to every channel takes the other's axis.
/// Refuses: different channel axes; a composed scale or shift that is not finite, or would not be in the element type
/// of the value.
struct ComposeAffines: FoldRule {
    let name = "compose-affines"

    func proposal(at node: Node, in context: FoldContext) throws(FoldRefusal) -> FoldProposal? {
        guard var first = node.operation as? Affine, let input = node.input(0),
            let between = node.outputs.first, let between,
            let next = context.index.consumer(of: between, besides: node),
            var second = next.operation as? Affine,
            context.index.consumer(of: between, besides: next) == nil, !context.index.isGraphOutput(between)
        else { return nil }
        first = first.spread(over: second.scale.count, axis: second.axis) ?? first
        second = second.spread(over: first.scale.count, axis: first.axis) ?? second
        guard first.axis == second.axis, first.scale.count == second.scale.count else {
            throw FoldRefusal("the next one's channels are on another axis", blockedBy: next.name)
        }
        let scale = zip(first.scale, second.scale).map { $0 * $1 }
        let shift = first.shift.indices.map { second.scale[$0] * first.shift[$0] + second.shift[$0] }
        let type = context.values[between]?.elementType ?? .float64
        guard Self.isFinite(scale, in: type), Self.isFinite(shift, in: type) else {
            throw FoldRefusal("the product with the next one is not finite", blockedBy: next.name)
        }
        // Arithmetic may become its nodes again; a merged batch normalization may not.
        let isArithmetic = node.isRecognisedArithmetic && next.isRecognisedArithmetic
        let composed = try Node.made(
            name: next.name, domain: Affine.domain, type: Affine.type,
            attributes: Affine.attributes(scale: scale, shift: shift, axis: second.axis),
            opset: context.graph.opset, inputs: [input], outputs: next.outputs,
            sources: isArithmetic ? node.sources + next.sources : [])
        return FoldProposal(
            edit: GraphEdit(
                removedNodes: [node.identifier], replacements: [next.identifier: composed]),
            effect: .composed(into: next.identifier))
    }

    private static func isFinite(_ values: [Double], in type: ElementType) -> Bool {
        guard let shape = try? Shape([values.count]), type.isFloatingPoint else { return false }
        let rounded = ExactTensor(reals: values, shape: shape, elementType: type).rounded.reals
        return rounded?.allSatisfy(\.isFinite) ?? false
    }
}
