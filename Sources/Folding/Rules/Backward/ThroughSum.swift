import Graph

/// Takes an affine through a sum: every operand gets the scale, one of them the shift.
///
///     (x₁ ± x₂)⊙a + b = (x₁⊙a + b) ± x₂⊙a = x₁⊙a ± (x₂⊙a ± b)      mean(x₁, …)⊙a + b = mean(x₁⊙a + b, …)
///
/// A constant operand goes through the affine itself, with the shift. Otherwise the shift goes to the first operand that
/// can have it: one behind a ReLU cannot.
/// Refuses: an operand that is the same for channels that must differ, unless it is constant.
/// Source: ONNX Add-14, Sub-14, Sum-13, Mean-13.
struct ThroughSum: BackwardStep {
    let name = "batchnorm-through-sum"
    let types = ["Add", "Sub", "Sum", "Mean"]

    func take(_ site: BackwardSite, in plan: inout BackwardPlan) throws(FoldRefusal) {
        var inputs = site.node.inputs
        let shifted = shiftedOperand(site, in: &plan)
        for index in inputs.indices {
            let isSubtracted = site.node.type == "Sub" && index == 1
            var own = site.affine
            if site.node.type == "Mean" {
                // Each has the shift, so their mean has.
            } else if index != shifted {
                own = own.withoutShift
            } else if isSubtracted {
                own = Affine(scale: own.scale, shift: own.shift.map { -$0 }, axis: own.axis)
            }
            inputs[index] = try plan.operand(own, index, at: site)
        }
        try plan.replace(site, inputs: inputs)
    }

    private func shiftedOperand(_ site: BackwardSite, in plan: inout BackwardPlan) -> Int? {
        guard site.affine.hasShift, site.node.type != "Mean" else { return nil }
        let names = site.node.inputs
        let constant = names.firstIndex { site.context.graph.fixedConstant($0) != nil }
        return constant ?? plan.choose(of: names.count)
    }
}
