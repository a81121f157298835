import Graph

/// Takes a scale through a product or a quotient into one of the factors, or into the numerator.
///
///     (x₁·x₂)⊙a = (x₁⊙a)·x₂ = x₁·(x₂⊙a)      (x₁/x₂)⊙a = (x₁⊙a)/x₂
///
/// A constant factor with all the channels takes it itself.
/// Refuses: a shift; a factor that is the same for channels that must differ, unless it is constant.
/// Source: ONNX Mul-14, Div-14.
struct ThroughProduct: BackwardStep {
    let name = "batchnorm-through-product"
    let types = ["Mul", "Div"]

    func take(_ site: BackwardSite, in plan: inout BackwardPlan) throws(FoldRefusal) {
        try site.requireNoShift()
        var inputs = site.node.inputs
        var ways = Array(inputs.indices)
        if site.node.type == "Div" {
            ways = [0]
        } else if let constant = inputs.firstIndex(where: { site.context.graph.fixedConstant($0) != nil }) {
            // A constant that would grow is the last to be asked.
            let isLarge = site.hasChannels(input: constant)
            ways = isLarge ? [constant, 1 - constant] : [1 - constant, constant]
        }
        let way = ways[plan.choose(of: ways.count)]
        inputs[way] = try plan.operand(site.affine, way, at: site)
        try plan.replace(site, inputs: inputs)
    }
}

extension BackwardSite {
    /// Whether an operand that is broadcast to the output has all the channels of the affine.
    fileprivate func hasChannels(input index: Int) -> Bool {
        guard let dimensions = input(index)?.dimensions, let rank = output?.rank else { return false }
        let axis = affine.axis - (rank - dimensions.count)
        return axis >= 0 && dimensions[axis].value == affine.scale.count
    }
}
