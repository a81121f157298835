import Graph

/// Takes an affine through an Expand, whose input has the channels, or is the same for all of them as the affine is.
/// Source: ONNX Expand-13.
struct ThroughExpand: BackwardStep {
    let name = "batchnorm-through-expand"
    let types = ["Expand"]
    let rearranges = true

    func take(_ site: BackwardSite, in plan: inout BackwardPlan) throws(FoldRefusal) {
        var inputs = site.node.inputs
        inputs[0] = try plan.operand(site.affine, 0, at: site)
        try plan.replace(site, inputs: inputs)
    }
}
