import Graph
import Tensors

/// Folds an affine into the Gemm before it.
///
///     Y = α·A′·B′ + β·C      B″[k,n] = B′[k,n]·a_n      C″ = (β·C)⊙a + b, and β becomes 1
///
/// which is right for β = 0 too. Whether A is transposed does not matter; with transB, B [N, K] is scaled by rows.
/// Shapes: B [K, N] or [N, K]; C absent, (), (1), (N) or (1,N) becomes (N); (M,1) and (M,N) become (M,N).
/// Refuses: B or C that is not constant or that a caller may override; results that are not finite in B's element type.
/// Source: ONNX Gemm-13.
struct IntoGemm: BackwardStep {
    let name = "batchnorm-into-gemm"
    let types = ["Gemm"]

    func take(_ site: BackwardSite, in plan: inout BackwardPlan) throws(FoldRefusal) {
        let weight = try site.context.foldableConstant(site.node.input(1), role: "weight")
        guard weight.shape.rank == 2 else { throw site.refusal("the weight has shape \(weight.shape)") }
        let isTransposed = site.node.integerAttribute("transB", default: 0) == 1
        let (depth, columns) =
            isTransposed ? (weight.shape[1], weight.shape[0]) : (weight.shape[0], weight.shape[1])
        var parameters = ProducerParameters(
            weight: weight,
            scaling: WeightScaling(
                outerCount: isTransposed ? 1 : depth, channelCount: columns,
                innerCount: isTransposed ? depth : 1),
            bias: ChannelConstant(rank: 2, axis: 1))
        parameters.biasFactor = Double(site.node.realAttribute("beta", default: 1))
        var attributes = site.node.attributes
        attributes["beta"] = .real(1)
        try parameters.take(
            try site.channels(columns, of: "weight"), at: site, by: name, attributes: attributes, in: &plan)
    }
}
