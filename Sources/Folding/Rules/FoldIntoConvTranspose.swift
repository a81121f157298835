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
struct FoldIntoConvTranspose: FoldRule {
    let name = "batchnorm-into-convtranspose"

    func proposal(at node: Node, in context: FoldContext) throws(FoldRefusal) -> FoldProposal? {
        guard var site = try BackwardSite(at: node, after: "ConvTranspose", in: context) else { return nil }
        let weight = try context.foldableConstant(site.producer.input(1), role: "weight")
        let group = site.producer.integerAttribute("group", default: 1)
        guard weight.shape.rank >= 3, group > 0 else { return nil }
        let (inputChannels, outputsInGroup) = (weight.shape[0], weight.shape[1])
        guard inputChannels > 0, inputChannels.isMultiple(of: group) else {
            throw FoldRefusal(
                "the weight has \(inputChannels) input channels in \(group) groups",
                blockedBy: site.producer.name)
        }
        let (outputChannels, overflow) = outputsInGroup.multipliedReportingOverflow(by: group)
        try site.requireChannels(overflow ? Int.max : outputChannels, of: "weight")
        let bias = try site.producer.input(2).map { name throws(FoldRefusal) in
            try context.foldableConstant(name, role: "bias")
        }
        let inputsInGroup = inputChannels / group
        let scaling = WeightScaling(
            outerCount: inputChannels, channelCount: outputsInGroup,
            innerCount: weight.shape.dimensions[2...].reduce(1, *),
            factorOffset: { $0 / inputsInGroup * outputsInGroup })
        return try site.replacingProducer(
            weight: try scaling.scaled(weight, by: site.affine.scale),
            bias: try ChannelConstant(rank: 1, axis: 0)
                .through(site.affine, constant: bias, type: weight.elementType),
            in: context)
    }
}
