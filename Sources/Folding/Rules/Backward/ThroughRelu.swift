import Graph

/// Takes scales that are not negative, and no shift, through an activation that is linear on either side of 0.
///
///     relu(x)⊙a = relu(x⊙a)  for a ≥ 0,      the same for LeakyRelu and PRelu, whatever their slopes
///
/// Refuses: a negative scale, a shift.
/// Source: ONNX Relu-14, LeakyRelu-16, PRelu-16.
struct ThroughRelu: BackwardStep {
    let name = "batchnorm-through-relu"
    let types = ["Relu", "LeakyRelu", "PRelu"]

    func take(_ site: BackwardSite, in plan: inout BackwardPlan) throws(FoldRefusal) {
        try site.requirePositiveScale(orZero: true)
        try site.requireNoShift()
        try plan.pass(try site.affine(onAxis: site.affine.axis), at: site)
    }
}
