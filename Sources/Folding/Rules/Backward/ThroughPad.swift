import Graph
import Tensors

/// Takes an affine through a Pad that leaves the channel axis alone.
///
///     pad_v(x)⊙a + b = pad_v′(x⊙a + b)  with  v′ = a_c·v + b_c, which must be the same for all channels c
///
/// Pads that reflect, repeat or wrap, or that only take away, have no v.
/// Refuses: pads of the channel axis unless all channels are treated the same; pads or a v that is not constant.
/// Source: ONNX Pad-2, 11, 18, 19.
struct ThroughPad: BackwardStep {
    let name = "batchnorm-through-pad"
    let types = ["Pad"]

    func take(_ site: BackwardSite, in plan: inout BackwardPlan) throws(FoldRefusal) {
        guard let pad = site.node.operation as? Pad, let rank = site.input(0)?.rank,
            let pads = try? pad.pads(
                site.node.inputs.map { name in name.flatMap { site.context.values[$0] } }, rank: rank),
            site.affine.axis < rank
        else { throw site.refusal("its pads are not constant") }
        let isPadded = pads[site.affine.axis] != (0, 0)
        var affine = site.affine
        if isPadded {
            guard let uniform = affine.spread(over: 1, axis: 0) else {
                throw site.refusal("the channel axis is padded")
            }
            affine = uniform
        }
        let adds = pads.contains { $0.begin > 0 || $0.end > 0 }
        var (inputs, attributes) = (site.node.inputs, site.node.attributes)
        if pad.mode == .constant, adds {
            let old = try value(of: site)
            let values = Set(zip(affine.scale, affine.shift).map { $0 * old + $1 })
            guard let value = values.first, values.count == 1 else {
                throw site.refusal("the pad would have another value in each channel")
            }
            if value != old {
                try setValue(value, &inputs, &attributes, site, in: &plan)
            }
        }
        inputs[0] = try plan.value(
            try isPadded ? site.affine(onAxis: nil) : site.affine(onAxis: site.affine.axis), at: site)
        try plan.replace(site, inputs: inputs, attributes: attributes)
    }

    private func value(of site: BackwardSite) throws(FoldRefusal) -> Double {
        if site.node.opset < 11 { return Double(site.node.realAttribute("value", default: 0)) }
        guard let name = site.node.input(2) else { return 0 }
        let tensor = try site.context.foldableConstant(name, role: "pad value")
        guard let value = tensor.reals.first, value.isFinite else {
            throw site.refusal("the pad value is not finite")
        }
        return value
    }

    private func setValue(
        _ value: Double, _ inputs: inout [String?], _ attributes: inout [String: Attribute],
        _ site: BackwardSite, in plan: inout BackwardPlan
    ) throws(FoldRefusal) {
        guard site.node.opset >= 11 else {
            attributes["value"] = .real(try site.attribute(value, "pad value"))
            return
        }
        guard let type = site.output?.elementType else { throw site.refusal("its type is not known") }
        if inputs.count < 3 { inputs.append(nil) }
        inputs[2] = plan.constant(in: inputs[2], of: site.node, role: "value") { () throws(FoldRefusal) in
            try Tensor.rounding([value], shape: .scalar, to: type, role: "pad value")
        }
    }
}
