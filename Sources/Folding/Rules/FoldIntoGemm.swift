import Graph
import Tensors

/// Folds an affine into the Gemm before it.
///
///     Y = α·A′·B′ + β·C      B″[k,n] = B′[k,n]·a_n      C″ = (β·C)⊙a + b, and β becomes 1
///
/// which is right for β = 0 too. Whether A is transposed does not matter; with transB, B [N, K] is scaled by rows.
/// Shapes: B [K, N] or [N, K]; C absent, (), (1), (N) or (1,N) becomes (N); (M,1) and (M,N) become (M,N).
/// Refuses: B or C that is not constant or that a caller may override; another consumer of the product, or the product
/// as a graph output; results that are not finite in B's element type.
/// Source: ONNX Gemm-13.
struct FoldIntoGemm: FoldRule {
    let name = "batchnorm-into-gemm"

    func proposal(at node: Node, in context: FoldContext) throws(FoldRefusal) -> FoldProposal? {
        guard var site = try BackwardSite(at: node, after: "Gemm", in: context) else { return nil }
        let weight = try context.foldableConstant(site.producer.input(1), role: "weight")
        guard weight.shape.rank == 2 else { return nil }
        let isTransposed = site.producer.integerAttribute("transB", default: 0) == 1
        try site.requireChannels(weight.shape[isTransposed ? 0 : 1], of: "weight")
        let bias = try site.producer.input(2).map { name throws(FoldRefusal) in
            try context.foldableConstant(name, role: "bias")
        }
        let depth = weight.shape[isTransposed ? 1 : 0]
        let scaling = WeightScaling(
            outerCount: isTransposed ? 1 : depth, channelCount: site.channelCount,
            innerCount: isTransposed ? depth : 1)
        var attributes = site.producer.attributes
        attributes["beta"] = .real(1)
        return try site.replacingProducer(
            weight: try scaling.scaled(weight, by: site.affine.scale),
            bias: try ChannelConstant(rank: 2, axis: 1).through(
                site.affine, constant: bias,
                factor: Double(site.producer.realAttribute("beta", default: 1)), type: weight.elementType),
            attributes: attributes, in: context)
    }
}
