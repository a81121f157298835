import Graph

/// Takes an affine through a Transpose: its channels are on axis `perm[axis]` of the input.
/// Source: ONNX Transpose-13.
struct ThroughTranspose: BackwardStep {
    let name = "batchnorm-through-transpose"
    let types = ["Transpose"]
    let rearranges = true

    func take(_ site: BackwardSite, in plan: inout BackwardPlan) throws(FoldRefusal) {
        guard let transpose = site.node.operation as? Transpose,
            let rank = transpose.permutation?.count ?? site.output?.rank, site.affine.axis < rank
        else { throw site.refusal("the rank of its output is not known") }
        try plan.pass(
            try site.affine(onAxis: transpose.resolved(rank: rank)[site.affine.axis]), at: site)
    }
}
