import Graph
import Tensors

/// Folds an affine into the convolution before it, whatever its pads, strides, dilations and groups.
///
///     W′[o,…] = a_o·W[o,…]      c′_o = a_o·c_o + b_o
///
/// Shapes: W [outputChannels, inputChannels/group, k…] with one to three spatial axes or more; c [outputChannels].
/// Refuses: a weight or bias that is not constant or that a caller may override; another consumer of the convolution,
/// or its output as a graph output; results that are not finite in the weight's element type.
/// Source: ONNX Conv-22.
struct FoldIntoConv: FoldRule {
    let name = "batchnorm-into-conv"

    func proposal(at node: Node, in context: FoldContext) throws(FoldRefusal) -> FoldProposal? {
        guard var site = try BackwardSite(at: node, after: "Conv", in: context) else { return nil }
        let weight = try context.foldableConstant(site.producer.input(1), role: "weight")
        guard weight.shape.rank >= 3 else { return nil }
        try site.requireChannels(weight.shape[0], of: "weight")
        let bias = try site.producer.input(2).map { name throws(FoldRefusal) in
            try context.foldableConstant(name, role: "bias")
        }
        let scaling = WeightScaling(
            outerCount: 1, channelCount: site.channelCount, innerCount: weight.shape.count / site.channelCount
        )
        return try site.replacingProducer(
            weight: try scaling.scaled(weight, by: site.affine.scale),
            bias: try ChannelConstant(rank: 1, axis: 0)
                .through(site.affine, constant: bias, type: weight.elementType),
            in: context)
    }
}
