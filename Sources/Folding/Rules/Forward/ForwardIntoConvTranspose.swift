import Graph
import Tensors

/// Takes an affine into the transposed convolution behind it.
///
///     W′[i,…] = W[i,…]·a_i      c′_o = c_o + Σ_i W[i,o]·b_i, i of o's group
///
/// An output position gets taps of as many input positions as there are, so the shift is one constant for each channel
/// only where each output has one tap: a kernel of 1, a stride of 1 and no pads.
///
/// Shapes: W [inputChannels, outputChannels/group, k…]; c [outputChannels].
/// Refuses: a shift anywhere else; a weight or, for a shift, a bias that is not constant or that a caller may override;
/// results that are not finite in the weight's element type.
/// Source: ONNX ConvTranspose-22.
struct ForwardIntoConvTranspose: ForwardAbsorber {
    func matches(_ node: Node) -> Bool { node.operation is ConvTranspose }

    func absorb(_ site: ForwardSite, into plan: inout ForwardPlan) throws(FoldRefusal) {
        let node = site.node
        let flow = try site.onlyFirst()
        let weight = try site.context.foldableConstant(node.input(1), role: "weight")
        guard let operation = node.operation as? ConvTranspose, weight.shape.rank >= 3 else {
            throw FoldRefusal("the weight has shape \(weight.shape)")
        }
        let inputChannels = weight.shape[0]
        let affine = try site.affine(on: 1, count: inputChannels)
        let inner = weight.shape.dimensions[1...].reduce(1, *)
        let scaled = try WeightScaling(outerCount: 1, channelCount: inputChannels, innerCount: inner)
            .scaled(weight, by: affine.scale)
        var replacement = node
        replacement.inputs[0] = flow.replacement
        replacement.inputs[1] = plan.constant(node.name + "_weight", scaled)
        plan.count(scaled, insteadOf: node.input(1), of: node)
        if affine.hasShift {
            try requireOneTap(operation, weight.shape)
            let bias = try node.input(2).map { name throws(FoldRefusal) in
                try site.context.foldableConstant(name, role: "bias")
            }
            let inputsInGroup = inputChannels / operation.group
            let view = WeightScaling(
                outerCount: operation.group, channelCount: inputsInGroup, innerCount: inner,
                factorOffset: { $0 * inputsInGroup })
            let shifted = try ChannelConstant(rank: 1, axis: 0).through(
                Affine(shift: view.contracted(weight, with: affine.shift), axis: 0), constant: bias,
                type: weight.elementType)
            replacement.inputs =
                Array(replacement.inputs.prefix(2)) + [plan.constant(node.name + "_bias", shifted)]
        }
        plan.replace(node, with: replacement)
    }

    private func requireOneTap(_ operation: ConvTranspose, _ weight: Shape) throws(FoldRefusal) {
        for axis in 0..<weight.rank - 2 {
            let resolved = try? operation.axis(axis, input: 2, kernel: weight[axis + 2])
            guard weight[axis + 2] == 1, operation.window.stride(axis) == 1,
                operation.spatialOutputShape == nil, let resolved, resolved.output == 2,
                resolved.padBegin == 0, resolved.padEnd == 0
            else { throw FoldRefusal("the shift would not be the same at each of its outputs") }
        }
    }
}
