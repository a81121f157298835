import Graph
import Tensors

/// Takes an affine of the input's features into the LSTM, GRU or RNN behind it, whose input transform precedes its gates.
///
///     W′[d,g,i] = W[d,g,i]·a_i      Wb′[d,g] = Wb[d,g] + Σ_i W[d,g,i]·b_i
///
/// Shapes: X [steps, batch, inputs], with layout 1 [batch, steps, inputs]; W [directions, gates·hidden, inputs]; B
/// [directions, 2·gates·hidden], Wb before Rb, made when there is none.
/// Refuses: any other axis or input; W or, for a shift, B that is not constant or that a caller may override; results
/// that are not finite in W's element type.
/// Source: ONNX LSTM-22, GRU-22, RNN-22.
struct ForwardIntoRecurrent: ForwardAbsorber {
    func matches(_ node: Node) -> Bool { node.operation.isRecurrentLayer }

    func absorb(_ site: ForwardSite, into plan: inout ForwardPlan) throws(FoldRefusal) {
        let node = site.node
        let flow = try site.onlyFirst()
        let weight = try site.context.foldableConstant(node.input(1), role: "weight")
        guard weight.shape.rank == 3 else { throw FoldRefusal("the weight has shape \(weight.shape)") }
        let affine = try site.affine(on: 2, count: weight.shape[2])
        let (directions, gates) = (weight.shape[0], weight.shape[1])
        let view = WeightScaling(
            outerCount: directions * gates, channelCount: weight.shape[2], innerCount: 1)
        let scaled = try view.scaled(weight, by: affine.scale)
        var replacement = node
        replacement.inputs[0] = flow.replacement
        replacement.inputs[1] = plan.constant(node.name + "_weight", scaled)
        plan.count(scaled, insteadOf: node.input(1), of: node)
        if affine.hasShift {
            let bias = try node.input(3).map { name throws(FoldRefusal) in
                try site.context.foldableConstant(name, role: "bias")
            }
            guard let shape = bias?.shape ?? (try? Shape([directions, 2 * gates])),
                shape.dimensions == [directions, 2 * gates]
            else { throw FoldRefusal("the bias has not \(2 * gates) elements for each direction") }
            var values = bias?.reals ?? [Double](repeating: 0, count: shape.count)
            for (row, sum) in view.contracted(weight, with: affine.shift).enumerated() {
                values[row / gates * 2 * gates + row % gates] += sum
            }
            let shifted = try Tensor.rounding(values, shape: shape, to: weight.elementType, role: "bias")
            while replacement.inputs.count < 4 { replacement.inputs.append(nil) }
            replacement.inputs[3] = plan.constant(node.name + "_bias", shifted)
        }
        plan.replace(node, with: replacement)
    }
}
