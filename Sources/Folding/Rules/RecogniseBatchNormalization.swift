import Graph
import Tensors

/// Makes an affine of an inference-mode batch normalization.
///
///     a = γ/√(σ²+ε)      b = β − a·μ      y = a⊙x + b on axis 1
///
/// Shapes: x [N, C, …]; γ, β, μ, σ² [C]. In Float64 from the stored parameters.
/// Refuses: parameters that are not constant or that a caller may override; lengths that disagree; σ²+ε ≤ 0; a or b
/// not finite; a vector as input, or one channel and an unknown rank. The node then stays a BatchNormalization.
/// Training mode never gets here: the operator refuses it.
/// Source: Ioffe & Szegedy 2015, §3.1; ONNX BatchNormalization-15.
struct RecogniseBatchNormalization: FoldRule {
    let name = "recognise-batchnorm"

    func proposal(at node: Node, in context: FoldContext) throws(FoldRefusal) -> FoldProposal? {
        guard node.type == "BatchNormalization", let input = node.input(0), let output = node.outputs.first,
            let output
        else { return nil }
        let parameters = try Parameters(of: node, in: context)
        try requireChannels(parameters.count, of: context.values[input])
        let epsilon = Double(node.realAttribute("epsilon", default: 1e-5))
        let (scale, shift, minimum) = try parameters.affine(epsilon: epsilon)
        let affine = try Node.made(
            name: node.name, domain: Affine.domain, type: Affine.type,
            attributes: Affine.attributes(scale: scale, shift: shift, axis: 1), opset: context.graph.opset,
            inputs: [input], outputs: [output], sources: [node])
        return FoldProposal(
            edit: GraphEdit(replacements: [node.identifier: affine]),
            effect: .recognised(
                BatchNormalizationStatistics(
                    channelCount: scale.count, scaleMinimum: scale.min() ?? 0, scaleMaximum: scale.max() ?? 0,
                    minimumVariancePlusEpsilon: minimum)))
    }

    private func requireChannels(_ count: Int, of input: ValueInfo?) throws(FoldRefusal) {
        guard let dimensions = input?.dimensions else {
            // ONNX gives a vector one channel, so with one channel the rank decides which axis is meant.
            guard count != 1 else { throw FoldRefusal("the rank of its input is not known") }
            return
        }
        guard dimensions.count >= 2 else { throw FoldRefusal("its input has rank \(dimensions.count)") }
        if let channels = dimensions[1].value, channels != count {
            throw FoldRefusal("its input has \(channels) channels, its scale has \(count)")
        }
    }
}

/// γ, β, μ and σ² of one batch normalization.
private struct Parameters {
    let scale, bias, mean, variance: [Double]

    init(of node: Node, in context: FoldContext) throws(FoldRefusal) {
        func read(_ index: Int, _ role: String) throws(FoldRefusal) -> [Double] {
            let tensor = try context.foldableConstant(node.input(index), role: role)
            guard tensor.shape.rank == 1 else {
                throw FoldRefusal("the \(role) has shape \(tensor.shape)", blockedBy: node.input(index))
            }
            return tensor.reals
        }
        scale = try read(1, "scale")
        bias = try read(2, "bias")
        mean = try read(3, "mean")
        variance = try read(4, "variance")
        guard bias.count == scale.count, mean.count == scale.count, variance.count == scale.count else {
            throw FoldRefusal(
                """
                scale, bias, mean and variance have \(scale.count), \(bias.count), \(mean.count) and \
                \(variance.count) elements
                """)
        }
    }

    var count: Int { scale.count }

    func affine(
        epsilon: Double
    ) throws(FoldRefusal) -> (scale: [Double], shift: [Double], minimumVariancePlusEpsilon: Double) {
        var factors: [Double] = []
        var shifts: [Double] = []
        var minimum = Double.infinity
        for channel in scale.indices {
            let sum = variance[channel] + epsilon
            guard sum > 0 else {
                throw FoldRefusal("variance + epsilon is \(sum) in channel \(channel), expected more than 0")
            }
            let factor = scale[channel] / sum.squareRoot()
            let shift = bias[channel] - factor * mean[channel]
            guard sum.isFinite, factor.isFinite, shift.isFinite else {
                throw FoldRefusal("its parameters are not finite in channel \(channel)")
            }
            minimum = min(minimum, sum)
            factors.append(factor)
            shifts.append(shift)
        }
        guard !factors.isEmpty else { throw FoldRefusal("it has no channels") }
        return (factors, shifts, minimum)
    }
}
