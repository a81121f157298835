import Graph

/// Folds an affine into the matrix product before it, and adds the shift behind the product.
///
///     x·W:  W′[k,n] = W[k,n]·a_n, then + b      W·x:  W′[m,k] = a_m·W[m,k], then + b as a column
///
/// Shapes: see `MatMulWeight`: the product's output axis must be the affine's.
/// Refuses: any other axis, so a normalization directly behind [B, L, K]·[K, N], which normalises L; a weight that is
/// not constant or that a caller may override; another consumer of the product, or the product as a graph output;
/// results that are not finite in the weight's element type. A mere sum behind the product stays what it is.
/// Source: ONNX MatMul-13.
struct FoldIntoMatMul: FoldRule {
    let name = "batchnorm-into-matmul"

    func proposal(at node: Node, in context: FoldContext) throws(FoldRefusal) -> FoldProposal? {
        guard var site = try BackwardSite(at: node, after: "MatMul", in: context) else { return nil }
        // A product has no bias of its own: without a scale nothing would be gained.
        guard !node.isRecognisedArithmetic || site.affine.scale.contains(where: { $0 != 1 }) else {
            return nil
        }
        let weight = try MatMulWeight(of: site.producer, for: &site, in: context)
        return try weight.proposal(product: site.producer, sum: nil, site: site, bias: nil, in: context)
    }
}
