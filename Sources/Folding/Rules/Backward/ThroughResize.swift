import Graph

/// Takes an affine through a Resize or Upsample of other axes: the weights of every mode add up to 1.
///
///     Σₖ wₖ(a·xₖ + b) = a·Σₖ wₖxₖ + b
///
/// Refuses: `tf_crop_and_resize`, which has a value of its own outside; a channel axis that is resized, or that may be.
/// Source: ONNX Resize-19, Upsample-9.
struct ThroughResize: BackwardStep {
    let name = "batchnorm-through-resize"
    let types = ["Resize", "Upsample"]

    func take(_ site: BackwardSite, in plan: inout BackwardPlan) throws(FoldRefusal) {
        guard site.node.stringAttribute("coordinate_transformation_mode") != "tf_crop_and_resize" else {
            throw site.refusal("tf_crop_and_resize has a value of its own outside the input")
        }
        let isKept = site.context.keepsAxis(site.affine.axis, ofResize: site.node)
        try plan.pass(try site.affine(onAxis: isKept ? site.affine.axis : nil), at: site)
    }
}
