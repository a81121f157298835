import Graph

/// Takes an affine through a negation.
///
///     (−x)⊙a + b = −(x⊙a − b)
///
/// Source: ONNX Neg-13.
struct ThroughNegation: BackwardStep {
    let name = "batchnorm-through-negation"
    let types = ["Neg"]

    func take(_ site: BackwardSite, in plan: inout BackwardPlan) throws(FoldRefusal) {
        let affine = site.affine
        let negated = Affine(scale: affine.scale, shift: affine.shift.map { -$0 }, axis: affine.axis)
        try plan.pass(try site.placed(negated, onAxis: affine.axis, ofInput: 0), at: site)
    }
}
