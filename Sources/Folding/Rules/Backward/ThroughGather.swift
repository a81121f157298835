import Graph
import Tensors

/// Takes an affine through a Gather with constant indices: channel i of the output is channel indices[i] of the input,
/// whose other channels, which nobody else reads, stay as they are. A Gather along another axis leaves the channels alone.
///
/// Refuses: indices that are not constant, or of several axes where the channels are; one channel that is taken twice
/// with different scales or shifts.
/// Source: ONNX Gather-13.
struct ThroughGather: BackwardStep {
    let name = "batchnorm-through-gather"
    let types = ["Gather"]
    let rearranges = true

    func take(_ site: BackwardSite, in plan: inout BackwardPlan) throws(FoldRefusal) {
        guard let dimensions = site.input(0)?.dimensions else {
            throw site.refusal("the rank of its input is not known")
        }
        guard let indices = site.node.input(1).flatMap({ site.context.graph.fixedConstant($0) }) else {
            throw site.refusal("what it takes is not constant")
        }
        let stated = site.node.integerAttribute("axis", default: 0)
        let axis = stated < 0 ? stated + dimensions.count : stated
        let place = site.affine.axis
        if site.affine.isUniform {
            try plan.pass(try site.affine(onAxis: nil), at: site)
        } else if place < axis {
            try plan.pass(try site.affine(onAxis: place), at: site)
        } else if place >= axis + indices.shape.rank {
            try plan.pass(try site.affine(onAxis: place - indices.shape.rank + 1), at: site)
        } else {
            try plan.pass(try taken(indices, along: axis, dimensions[axis].value, site), at: site)
        }
    }

    private func taken(
        _ indices: Tensor, along axis: Int, _ count: Int?, _ site: BackwardSite
    ) throws(FoldRefusal) -> Affine {
        guard indices.shape.rank == 1, let numbers = ExactTensor(indices).integers, let count,
            count <= RecogniseChannelArithmetic.maximumChannelCount,
            let affine = site.affine.placed(
                at: numbers.map { $0 < 0 ? Int($0) + count : Int($0) }, of: count, axis: axis)
        else { throw site.refusal("the channels that it takes are not known, or one is taken twice") }
        return affine
    }
}
