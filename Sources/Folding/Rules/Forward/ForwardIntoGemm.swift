import Graph
import Tensors

/// Takes an affine into the Gemm behind it.
///
///     Y = α·A′·B′ + β·C      B″[k,n] = B′[k,n]·a_k      C″ = β·C + α·Σ_k b_k·B′[k,n], and β becomes 1
///
/// Without a shift C and β stay. With transA, the contracted axis of A is its first; with transB, B is [N, K].
/// Refuses: any other axis of A, or A as B or C; B or, for a shift, C that is not constant or that a caller may override;
/// results that are not finite in B's element type.
/// Source: ONNX Gemm-13.
struct ForwardIntoGemm: ForwardAbsorber {
    func matches(_ node: Node) -> Bool { node.operation is Gemm }

    func absorb(_ site: ForwardSite, into plan: inout ForwardPlan) throws(FoldRefusal) {
        let node = site.node
        let flow = try site.onlyFirst()
        let weight = try site.context.foldableConstant(node.input(1), role: "weight")
        guard let operation = node.operation as? Gemm, weight.shape.rank == 2 else {
            throw FoldRefusal("the weight has shape \(weight.shape)")
        }
        let (rows, columns) =
            operation.transposesB ? (weight.shape[1], weight.shape[0]) : (weight.shape[0], weight.shape[1])
        let affine = try site.affine(on: operation.transposesA ? 0 : 1, count: rows)
        let view = WeightScaling(
            outerCount: operation.transposesB ? columns : 1, channelCount: rows,
            innerCount: operation.transposesB ? 1 : columns)
        let scaled = try view.scaled(weight, by: affine.scale)
        var inputs = node.inputs
        inputs[0] = flow.replacement
        inputs[1] = plan.constant(node.name + "_weight", scaled)
        plan.count(scaled, insteadOf: node.input(1), of: node)
        var attributes = node.attributes
        if affine.hasShift {
            let bias = try node.input(2).map { name throws(FoldRefusal) in
                try site.context.foldableConstant(name, role: "bias")
            }
            let shift = view.contracted(weight, with: affine.shift).map { Double(operation.alpha) * $0 }
            let shifted = try ChannelConstant(rank: 2, axis: 1).through(
                Affine(shift: shift, axis: 1), constant: bias, factor: Double(operation.beta),
                type: weight.elementType)
            inputs = Array(inputs.prefix(2)) + [plan.constant(node.name + "_bias", shifted)]
            attributes["beta"] = .real(1)
        }
        plan.replace(
            node,
            with: try Node.made(
                name: node.name, domain: node.domain, type: node.type, attributes: attributes,
                opset: node.opset, inputs: inputs, outputs: node.outputs))
    }
}
