import Graph

/// Takes an affine through a Concat: on its own axis each branch gets the part of a and b that its channels have, on any
/// other all get the same.
///
///     [x₁; x₂]⊙a + b = [x₁⊙a₁ + b₁; x₂⊙a₂ + b₂]
///
/// A constant branch becomes another constant.
/// Refuses: a branch whose number of channels is not known.
/// Source: ONNX Concat-13.
struct ThroughConcat: BackwardStep {
    let name = "batchnorm-through-concat"
    let types = ["Concat"]
    let rearranges = true

    func take(_ site: BackwardSite, in plan: inout BackwardPlan) throws(FoldRefusal) {
        guard let concat = site.node.operation as? Concat, let rank = site.output?.rank else {
            throw site.refusal("the rank of its output is not known")
        }
        let axis = concat.axis < 0 ? concat.axis + rank : concat.axis
        var inputs = site.node.inputs
        var first = 0
        for index in inputs.indices {
            var part = site.affine
            if axis == part.axis {
                guard let count = site.input(index)?.dimensions?[axis].value,
                    first + count <= part.scale.count
                else { throw site.refusal("the channels of its input \(index) are not known") }
                part = part.selecting(first..<first + count)
                first += count
            }
            inputs[index] = try plan.operand(part, index, at: site)
        }
        try plan.replace(site, inputs: inputs)
    }
}
