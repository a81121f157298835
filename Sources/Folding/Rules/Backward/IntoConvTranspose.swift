import Graph
import Tensors

/// Folds an affine into the transposed convolution before it.
///
///     W′[i,j,…] = a_o·W[i,j,…]  with  o = ⌊i/(inputChannels/group)⌋·(outputChannels/group) + j
///     c′_o = a_o·c_o + b_o
///
/// Shapes: W [inputChannels, outputChannels/group, k…]: output channels are on axis 1, and each group of input channels
/// has its own; c [outputChannels].
/// Refuses: as the fold into Conv does.
/// Source: ONNX ConvTranspose-22.
struct IntoConvTranspose: BackwardStep {
    let name = "batchnorm-into-convtranspose"
    let types = ["ConvTranspose"]

    func take(_ site: BackwardSite, in plan: inout BackwardPlan) throws(FoldRefusal) {
        let weight = try site.context.foldableConstant(site.node.input(1), role: "weight")
        let group = site.node.integerAttribute("group", default: 1)
        guard weight.shape.rank >= 3, group > 0, weight.shape.count > 0 else {
            throw site.refusal("the weight has shape \(weight.shape)")
        }
        let (inputChannels, outputsInGroup) = (weight.shape[0], weight.shape[1])
        guard inputChannels.isMultiple(of: group) else {
            throw site.refusal("the weight has \(inputChannels) input channels in \(group) groups")
        }
        let inputsInGroup = inputChannels / group
        let parameters = ProducerParameters(
            weight: weight,
            scaling: WeightScaling(
                outerCount: inputChannels, channelCount: outputsInGroup,
                innerCount: weight.shape.dimensions[2...].reduce(1, *),
                factorOffset: { $0 / inputsInGroup * outputsInGroup }),
            bias: ChannelConstant(rank: 1, axis: 0))
        // Not more than the weight has elements: `group` divides its first extent.
        try parameters.take(
            try site.channels(outputsInGroup * group, of: "weight"), at: site, by: name, in: &plan)
    }
}
