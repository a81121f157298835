import Graph
import Tensors

/// Takes an affine into the matrix product with a constant behind it, and adds what the shift makes behind the product.
///
///     x·W:  W′[k,n] = W[k,n]·a_k, then + Σ_k b_k·W[k,n]      contracted: x's last axis
///     W·x:  W′[m,k] = W[m,k]·a_k, then + Σ_k W[m,k]·b_k as a column      contracted: x's last axis but one
///
/// The sum goes into a constant that is added to the product anyway, or becomes an Add of its own.
/// Shapes: W [K, N] or [M, K].
/// Refuses: any other axis of x; a weight that is not constant or that a caller may override; results that are not finite
/// in the weight's element type.
/// Source: ONNX MatMul-13.
struct ForwardIntoMatMul: ForwardAbsorber {
    func matches(_ node: Node) -> Bool { node.operation is MatMul }

    func absorb(_ site: ForwardSite, into plan: inout ForwardPlan) throws(FoldRefusal) {
        let node = site.node
        guard let (position, flow) = site.flows.first, site.flows.count == 1, node.inputs.count == 2 else {
            throw FoldRefusal("both its operands depend on it")
        }
        let weightName = node.input(1 - position)
        let weight = try site.context.foldableConstant(weightName, role: "weight")
        guard let rank = site.dimensions(of: flow.value)?.count, rank >= 2 else {
            throw FoldRefusal("its operand is a vector, or the rank is not known")
        }
        guard weight.shape.rank == 2, let output = node.outputs.first ?? nil else {
            throw FoldRefusal("the weight has shape \(weight.shape), expected a matrix")
        }
        let isFirst = position == 0
        let view =
            isFirst
            ? WeightScaling(outerCount: 1, channelCount: weight.shape[0], innerCount: weight.shape[1])
            : WeightScaling(outerCount: weight.shape[0], channelCount: weight.shape[1], innerCount: 1)
        let affine = try Self.affine(
            flow.affine, on: isFirst ? rank - 1 : rank - 2, count: view.channelCount)
        let scaled = try view.scaled(weight, by: affine.scale)
        var product = node
        product.inputs[position] = flow.replacement
        product.inputs[1 - position] = plan.constant(node.name + "_weight", scaled)
        plan.count(scaled, insteadOf: weightName, of: node)
        guard affine.hasShift else {
            plan.replace(node, with: product)
            return
        }
        let sum = ChannelConstant(rank: rank, axis: isFirst ? rank - 1 : rank - 2)
        let shift = Affine(shift: view.contracted(weight, with: affine.shift), axis: sum.axis)
        let scaledName = plan.unusedValueName(node.name + "_scaled")
        product.outputs = [scaledName]
        plan.replace(node, with: product)
        if let (reader, constant) = Self.sum(of: output, type: weight.elementType, in: site.context) {
            let folded = try sum.through(shift, constant: constant, type: weight.elementType)
            let name = plan.constant(reader.name + "_bias", folded)
            var replacement = reader
            replacement.inputs = reader.inputs.map { $0 == output ? scaledName : name }
            plan.replace(reader, with: replacement)
        } else {
            let made = try sum.through(shift, constant: nil, type: weight.elementType)
            let name = plan.constant(node.name + "_bias", made)
            try plan.insert(
                try Node.made(
                    name: plan.unusedNodeName(node.name + "_bias"), type: "Add",
                    opset: site.context.graph.opset, inputs: [scaledName, name], outputs: [output]))
        }
    }

    private static func affine(_ affine: Affine, on axis: Int, count: Int) throws(FoldRefusal) -> Affine {
        if affine.axis != axis, let uniform = affine.spread(over: count, axis: axis) { return uniform }
        guard affine.axis == axis, affine.scale.count == count else {
            throw FoldRefusal("the channels are on axis \(affine.axis), it contracts axis \(axis)")
        }
        return affine
    }

    /// The sum with a constant that alone reads the product.
    private static func sum(
        of product: String, type: ElementType, in context: FoldContext
    ) -> (Node, Tensor)? {
        guard let reader = context.index.consumers(of: product).first, reader.operation is Add,
            context.index.consumer(of: product, besides: reader) == nil,
            !context.index.isGraphOutput(product), let first = reader.input(0), let second = reader.input(1),
            let constant = context.graph.fixedConstant(first == product ? second : first),
            let sum = (reader.outputs.first ?? nil).flatMap({ context.values[$0]?.rank }),
            sum == context.values[product]?.rank, constant.elementType == type, first != second
        else { return nil }
        return (reader, constant)
    }
}
