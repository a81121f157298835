import Graph
import Tensors

/// Makes one affine of two with operators between them that commute.
///
///     a₂(a₁x + b₁) + b₂ = (a₂a₁)x + (a₂b₁ + b₂)
///
/// Refuses: different channel axes; results that are not finite; two of arithmetic alone, which is what it is unless a
/// fold has it.
struct ForwardIntoAffine: ForwardAbsorber {
    func matches(_ node: Node) -> Bool { node.operation is Affine }

    func absorb(_ site: ForwardSite, into plan: inout ForwardPlan) throws(FoldRefusal) {
        let flow = try site.onlyFirst()
        guard let second = site.node.operation as? Affine, !site.node.isRecognisedArithmetic else {
            throw FoldRefusal("it has to stay, and has no parameters of a fold")
        }
        let first = try site.affine(on: second.axis, count: second.scale.count)
        let scale = zip(first.scale, second.scale).map { $0 * $1 }
        let shift = second.shift.indices.map { second.scale[$0] * first.shift[$0] + second.shift[$0] }
        let type = site.context.values[flow.value]?.elementType ?? .float64
        guard type.isFloatingPoint, let shape = try? Shape([scale.count]) else {
            throw FoldRefusal("the element type is not known")
        }
        _ = try Tensor.rounding(scale, shape: shape, to: type, role: "scale")
        _ = try Tensor.rounding(shift, shape: shape, to: type, role: "shift")
        plan.replace(
            site.node,
            with: try Node.made(
                name: site.node.name, domain: Affine.domain, type: Affine.type,
                attributes: Affine.attributes(scale: scale, shift: shift, axis: second.axis),
                opset: site.context.graph.opset, inputs: [flow.replacement], outputs: site.node.outputs))
    }
}
