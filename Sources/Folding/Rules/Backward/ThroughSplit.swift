import Graph

/// Takes the affines behind a Split to its input: on its own axis side by side, and the parts that no affine follows keep
/// their channels as they are; on any other axis only one affine that follows every part.
///
///     split(x) = x₁, x₂:      a⊙x₂ + b is the second part of [1; a]⊙x + [0; b], whose first part is x₁
///
/// So x₁ keeps its name and its readers.
/// Refuses: parts of which the extent is not known; on another axis, a part that is read as it is.
/// Source: ONNX Split-13.
struct ThroughSplit: BackwardStep {
    let name = "batchnorm-through-split"
    let types = ["Split"]
    let rearranges = true

    func take(_ site: BackwardSite, in plan: inout BackwardPlan) throws(FoldRefusal) {
        guard let split = site.node.operation as? Split, let rank = site.input(0)?.rank else {
            throw site.refusal("the rank of its input is not known")
        }
        let axis = split.axis < 0 ? split.axis + rank : split.axis
        var inputs = site.node.inputs
        if let joined = joined(site, axis: axis) {
            inputs[0] = try plan.value(joined, at: site)
            try plan.replace(site, inputs: inputs)
            return
        }
        for (output, demand) in zip(site.node.outputs, site.demands) {
            guard let output, demand != nil || !site.context.isUnused(output) else { continue }
            guard let demand, demand.affine.equals(site.affine) else {
                throw site.refusal("'\(output)' would change with the other parts of the split")
            }
        }
        inputs[0] = try plan.value(site.affine, at: site)
        try plan.replace(site, inputs: inputs, dropsOtherOutputs: true)
    }

    /// The affines of all outputs in one, when each is on the axis that is split or does the same to all channels.
    private func joined(_ site: BackwardSite, axis: Int) -> Affine? {
        let inputs = site.node.inputs.map { name in name.flatMap { site.context.values[$0] } }
        let parts = try? site.node.operation.inferOutputs(inputs, outputCount: site.node.outputs.count)
        guard let parts, parts.count == site.demands.count else { return nil }
        var (scale, shift): ([Double], [Double]) = ([], [])
        for (part, demand) in zip(parts, site.demands) {
            guard let count = part.dimensions?[axis].value,
                count <= RecogniseChannelArithmetic.maximumChannelCount - scale.count
            else { return nil }
            guard let demand else {
                scale += [Double](repeating: 1, count: count)
                shift += [Double](repeating: 0, count: count)
                continue
            }
            let own = demand.affine.spread(over: count, axis: axis) ?? demand.affine
            guard own.axis == axis, own.scale.count == count else { return nil }
            scale += own.scale
            shift += own.shift
        }
        return Affine(scale: scale, shift: shift, axis: axis)
    }
}
