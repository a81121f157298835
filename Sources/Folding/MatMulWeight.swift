import Graph
import Tensors

/// The constant operand of a matrix product, when its output axis is the channel axis 1 of the product.
///
///     x·W, rank 2:  [B, K]·[K, N]     → [B, N]      N is axis 1; a bias has shape (N)
///     W·x, rank 3:  [M, K]·[B, K, L]  → [B, M, L]   M is axis 1; a bias has shape (M, 1)
///
/// For any other rank the channels of a normalization are not the product's: [B, L, K]·[K, N] has L on axis 1.
struct MatMulWeight {
    let name: String
    let tensor: Tensor
    /// The position of the constant among the product's inputs, 0 or 1.
    let position: Int
    /// The value that is multiplied by it.
    let input: String
    /// The product's rank.
    let rank: Int

    init(of product: Node, channelCount: Int, in context: FoldContext) throws(FoldRefusal) {
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
        guard tensor.shape.rank == 2, inputRank == (position == 1 ? 2 : 3) else {
            let axis = position == 1 ? rank - 1 : rank - 2
            throw FoldRefusal(
                """
                the channels are axis 1 of the product, its weight's outputs are axis \(axis) \
                of rank \(rank)
                """, blockedBy: product.name)
        }
        let outputs = tensor.shape[position == 1 ? 1 : 0]
        guard outputs == channelCount else {
            throw FoldRefusal(
                "the weight has \(outputs) output channels, the BatchNormalization has \(channelCount)",
                blockedBy: product.name)
        }
    }

    func scaled(by factors: [Double]) throws(FoldRefusal) -> Tensor {
        let scaling =
            position == 1
            ? WeightScaling(outerCount: tensor.shape[0], channelCount: tensor.shape[1], innerCount: 1)
            : WeightScaling(outerCount: 1, channelCount: tensor.shape[0], innerCount: tensor.shape[1])
        return try scaling.scaled(tensor, by: factors)
    }

    /// What becomes of an affine behind the product and, when there is one, behind `sum`, which adds a constant:
    /// the product with the scaled weight, then a sum with the new bias that defines `output`.
    ///
    /// `end` is the affine's node; its place is the sum's when the product had none.
    func proposal(
        product: Node, sum: Node?, end: Node, affine: Affine, bias: Tensor?, output: String,
        in context: FoldContext
    ) throws(FoldRefusal) -> FoldProposal {
        let weight = try scaled(by: affine.scale)
        let shift = try ChannelConstant(rank: rank, axis: 1)
            .through(affine, constant: bias, type: tensor.elementType)
        let weightName = context.unusedValueName(product.name + "_weight")
        let biasName = context.unusedValueName(product.name + "_bias")
        let scaledName = context.unusedValueName(product.name + "_scaled")
        let newProduct = try Node.made(
            name: product.name, domain: product.domain, type: product.type, attributes: product.attributes,
            opset: context.graph.opset, inputs: position == 1 ? [input, weightName] : [weightName, input],
            outputs: [scaledName])
        let newSum = try Node.made(
            name: sum?.name ?? context.unusedNodeName(product.name + "_bias"), type: "Add",
            opset: context.graph.opset, inputs: [scaledName, biasName], outputs: [output])
        return FoldProposal(
            edit: GraphEdit(
                removedNodes: sum == nil ? [] : [end.identifier],
                replacements: [
                    product.identifier: newProduct, (sum ?? end).identifier: newSum,
                ],
                insertedConstants: [weightName: weight, biasName: shift]),
            effect: .absorbed(
                Absorption(
                    node: product.name, input: input, output: output,
                    clonedByteCount: context.isShared(name, besides: product) ? weight.byteCount : 0)))
    }
}
