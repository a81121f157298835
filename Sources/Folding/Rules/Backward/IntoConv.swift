import Graph
import Tensors

/// Folds an affine into the convolution before it, whatever its pads, strides, dilations and groups.
///
///     W′[o,…] = a_o·W[o,…]      c′_o = a_o·c_o + b_o
///
/// Shapes: W [outputChannels, inputChannels/group, k…] with one to three spatial axes or more; c [outputChannels].
/// Refuses: a weight or bias that is not constant or that a caller may override; results that are not finite in the
/// weight's element type.
/// Source: ONNX Conv-22.
struct IntoConv: BackwardStep {
    let name = "batchnorm-into-conv"
    let types = ["Conv"]

    func take(_ site: BackwardSite, in plan: inout BackwardPlan) throws(FoldRefusal) {
        let weight = try site.context.foldableConstant(site.node.input(1), role: "weight")
        guard weight.shape.rank >= 3, weight.shape[0] > 0 else {
            throw site.refusal("the weight has shape \(weight.shape)")
        }
        let outputChannels = weight.shape[0]
        let parameters = ProducerParameters(
            weight: weight,
            scaling: WeightScaling(
                outerCount: 1, channelCount: outputChannels,
                innerCount: weight.shape.count / outputChannels),
            bias: ChannelConstant(rank: 1, axis: 0))
        try parameters.take(
            try site.channels(outputChannels, of: "weight"), at: site, by: name, in: &plan)
    }
}
