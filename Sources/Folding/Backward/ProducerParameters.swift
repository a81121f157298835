import Graph
import Tensors

/// The weight and bias of a node whose inputs are x, weight and bias, as an affine of its output channels changes them.
struct ProducerParameters {
    let weight: Tensor
    let scaling: WeightScaling
    let bias: ChannelConstant
    /// What the node multiplies its bias by.
    var biasFactor = 1.0

    /// Replaces the node: the weight is scaled unless every scale is 1, the bias is there if anything is added.
    func take(
        _ affine: Affine, at site: BackwardSite, by rule: String, attributes: [String: Attribute]? = nil,
        in plan: inout BackwardPlan
    ) throws(FoldRefusal) {
        let oldBias = site.node.input(2)
        let biasTensor = try oldBias.map { name throws(FoldRefusal) in
            try site.context.foldableConstant(name, role: "bias")
        }
        var inputs = site.node.inputs
        if affine.hasScale {
            let (weight, scaling) = (weight, scaling)
            inputs[1] = plan.constant(in: site.node.input(1), of: site.node, role: "weight") {
                () throws(FoldRefusal) in try scaling.scaled(weight, by: affine.scale)
            }
        }
        if affine.hasShift || oldBias != nil {
            let (bias, factor, type) = (bias, biasFactor, weight.elementType)
            let name = plan.constant(in: oldBias, of: site.node, role: "bias") { () throws(FoldRefusal) in
                try bias.through(affine, constant: biasTensor, factor: factor, type: type)
            }
            inputs = Array(inputs.prefix(2)) + [name]
        }
        plan.absorbed(at: site, by: rule)
        try plan.replace(site, inputs: inputs, attributes: attributes)
    }
}
