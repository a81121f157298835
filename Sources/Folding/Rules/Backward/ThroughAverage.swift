import Graph
import Tensors

/// Takes an affine through a mean over axes that are not its channels'.
///
///     mean(x⊙a + b) = mean(x)⊙a + b
///
/// The shift needs weights that add up to 1: an AveragePool that counts pads has windows where they do not, and what
/// engines divide by under ceil_mode, when pads count, is not agreed upon. The scale needs nothing.
/// Refuses: a mean over the channels unless all are treated the same.
/// Source: ONNX AveragePool-22, GlobalAveragePool-22, ReduceMean-18.
struct ThroughAverage: BackwardStep {
    let name = "batchnorm-through-average"
    let types = ["AveragePool", "GlobalAveragePool", "ReduceMean"]

    func take(_ site: BackwardSite, in plan: inout BackwardPlan) throws(FoldRefusal) {
        if let pool = site.node.operation as? AveragePool, pool.mayCountPads, site.affine.hasShift {
            throw site.refusal("AveragePool counts its pads, so a shift would not be the same everywhere")
        }
        try plan.pass(try site.affine(onAxis: try site.keptAxis()), at: site)
    }
}

extension BackwardSite {
    /// The axis of the input that the channels come from, for a pool or a reduction; `nil` when it mixes them.
    func keptAxis() throws(FoldRefusal) -> Int? {
        guard let axes = node.reducedAxes else { return affine.axis < 2 ? affine.axis : nil }
        guard let rank = input(0)?.rank else { throw refusal("the rank of its input is not known") }
        guard let reduced = context.reducedAxes(of: node, rank: rank) else {
            throw refusal("its axes are not constant")
        }
        let kept = (0..<rank).filter { !reduced.contains($0) }
        if axes.keepsDimensions { return kept.contains(affine.axis) ? affine.axis : nil }
        return kept.indices.contains(affine.axis) ? kept[affine.axis] : nil
    }
}
