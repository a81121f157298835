import Graph
import Tensors

/// Takes an affine with positive scales through a maximum, or a minimum, over axes that are not its channels'.
///
///     max(x)⊙a + b = max(x⊙a + b)  for a > 0
///
/// Refuses: a scale that is not positive; a MaxPool whose positions are asked for too, since rounding may make equal what
/// was not; a maximum over the channels unless all are treated the same.
/// Source: ONNX MaxPool-22, GlobalMaxPool-22, ReduceMax-20, ReduceMin-20.
struct ThroughMaximum: BackwardStep {
    let name = "batchnorm-through-maximum"
    let types = ["MaxPool", "GlobalMaxPool", "ReduceMax", "ReduceMin"]

    func take(_ site: BackwardSite, in plan: inout BackwardPlan) throws(FoldRefusal) {
        try site.requirePositiveScale()
        guard !site.context.needsOtherOutputs(of: site.node) else {
            throw site.refusal("the positions of the maxima are asked for too")
        }
        try plan.pass(try site.affine(onAxis: try site.keptAxis()), at: site)
    }
}
