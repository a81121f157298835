import Graph
import Tensors

/// Takes an affine with positive scales through a Clip, whose bounds move with it.
///
///     clip(x, l, h)⊙a + b = clip(x⊙a + b, a·l + b, a·h + b)  for a > 0
///
/// A Clip has one bound for all channels: each bound that is there must be the same for all, as 0 is without a shift.
/// Refuses: a scale that is not positive; bounds that would differ, or that are not constant.
/// Source: ONNX Clip-6, 13.
struct ThroughClip: BackwardStep {
    let name = "batchnorm-through-clip"
    let types = ["Clip"]

    func take(_ site: BackwardSite, in plan: inout BackwardPlan) throws(FoldRefusal) {
        try site.requirePositiveScale()
        var (inputs, attributes) = (site.node.inputs, site.node.attributes)
        for (index, name) in ["min", "max"].enumerated() {
            if site.node.opset < 11 {
                guard case .real(let stated) = attributes[name] else { continue }
                attributes[name] = .real(try site.attribute(try moved(Double(stated), site), "bound"))
            } else if let old = site.node.input(index + 1) {
                let tensor = try site.context.foldableConstant(old, role: "bound")
                guard let stated = tensor.reals.first else { throw site.refusal("a bound is empty") }
                let bound = try moved(stated, site)
                inputs[index + 1] = plan.constant(in: old, of: site.node, role: name) {
                    () throws(FoldRefusal) in
                    try Tensor.rounding(
                        [bound], shape: tensor.shape, to: tensor.elementType, role: "bound")
                }
            }
        }
        inputs[0] = try plan.value(try site.affine(onAxis: site.affine.axis), at: site)
        try plan.replace(site, inputs: inputs, attributes: attributes)
    }

    private func moved(_ bound: Double, _ site: BackwardSite) throws(FoldRefusal) -> Double {
        let bounds = Set(zip(site.affine.scale, site.affine.shift).map { $0 * bound + $1 })
        guard let moved = bounds.first, bounds.count == 1 else {
            throw site.refusal("Clip would have another bound in each channel")
        }
        return moved
    }
}
