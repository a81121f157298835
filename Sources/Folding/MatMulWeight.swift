import Graph
import Tensors

/// The constant operand of a matrix product, when its output axis is the channel axis of what follows.
///
///     x·W:  […, B, K]·[K, N]  → […, B, N]   N is the last axis; a bias has shape (N)
///     W·x:  [M, K]·[…, K, L]  → […, M, L]   M is the last axis but one; a bias has shape (M, 1)
///
/// The channels of a batch normalization are on axis 1, which is the product's for x·W of rank 2 and for W·x of
/// rank 3: [B, L, K]·[K, N] has L on axis 1.
struct MatMulWeight {
    let name: String
    let tensor: Tensor
    /// The position of the constant among the product's inputs, 0 or 1.
    let position: Int
    /// The value that is multiplied by it.
    let input: String
    /// The product's rank.
    let rank: Int
    /// The product's axis that the weight makes.
    let axis: Int

    /// Puts the affine of `site` on the product's output axis.
    init(of product: Node, for site: inout BackwardSite, in context: FoldContext) throws(FoldRefusal) {
        guard let left = product.input(0), let right = product.input(1) else {
            throw FoldRefusal("an operand is absent", blockedBy: product.name)
        }
        // With two constant operands the product would be one; with none, the reason is the right one's.
        position =
            context.graph.fixedConstant(right) == nil && context.graph.fixedConstant(left) != nil ? 0 : 1
        name = position == 1 ? right : left
        input = position == 1 ? left : right
        tensor = try context.foldableConstant(name, role: "weight")
        guard let inputRank = context.values[input]?.rank else {
            throw FoldRefusal("the rank of '\(input)' is not known", blockedBy: product.name)
        }
        rank = max(inputRank, tensor.shape.rank)
        axis = position == 1 ? rank - 1 : rank - 2
        let isUniform = site.affine.spread(over: 1, axis: 0) != nil
        guard tensor.shape.rank == 2, inputRank >= 2, isUniform || site.affine.axis == axis else {
            throw FoldRefusal(
                """
                the channels are axis \(site.affine.axis) of the product, its weight's outputs are axis \(axis) \
                of rank \(rank)
                """, blockedBy: product.name)
        }
        try site.requireChannels(tensor.shape[position == 1 ? 1 : 0], axis: axis, of: "weight")
    }

    func scaled(by factors: [Double]) throws(FoldRefusal) -> Tensor {
        let scaling =
            position == 1
            ? WeightScaling(outerCount: tensor.shape[0], channelCount: tensor.shape[1], innerCount: 1)
            : WeightScaling(outerCount: 1, channelCount: tensor.shape[0], innerCount: tensor.shape[1])
        return try scaling.scaled(tensor, by: factors)
    }

    /// What becomes of an affine behind the product and, when there is one, behind `sum`, which adds a constant:
    /// the product with the scaled weight, then a sum with the new bias.
    ///
    /// The affine's place is the sum's when the product had none.
    func proposal(
        product: Node, sum: Node?, site: BackwardSite, bias: Tensor?, in context: FoldContext
    ) throws(FoldRefusal) -> FoldProposal {
        let weight = try scaled(by: site.affine.scale)
        let shift = try ChannelConstant(rank: rank, axis: axis)
            .through(site.affine, constant: bias, type: tensor.elementType)
        let weightName = context.unusedValueName(product.name + "_weight")
        let biasName = context.unusedValueName(product.name + "_bias")
        let scaledName = context.unusedValueName(product.name + "_scaled")
        let newProduct = try Node.made(
            name: product.name, domain: product.domain, type: product.type, attributes: product.attributes,
            opset: context.graph.opset, inputs: position == 1 ? [input, weightName] : [weightName, input],
            outputs: [scaledName])
        let produced = site.producedName(in: context)
        let newSum = try Node.made(
            name: sum?.name ?? context.unusedNodeName(product.name + "_bias"), type: "Add",
            opset: context.graph.opset, inputs: [scaledName, biasName], outputs: [produced])
        var edit = GraphEdit(
            replacements: [
                product.identifier: newProduct, (sum ?? site.affineNode).identifier: newSum,
            ],
            insertedConstants: [weightName: weight, biasName: shift])
        site.finish(&edit, from: produced, in: context)
        return FoldProposal(
            edit: edit,
            effect: .absorbed(
                Absorption(
                    node: product.name, input: input, output: site.output,
                    clonedByteCount: context.isShared(name, besides: product) ? weight.byteCount : 0,
                    scale: site.affine.scale)))
    }
}
