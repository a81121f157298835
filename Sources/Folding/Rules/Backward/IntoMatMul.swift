import Graph
import Tensors

/// Folds an affine into the matrix product before it, and adds the shift behind the product.
///
///     x·W:  […, B, K]·[K, N]  → […, B, N]      W′[k,n] = W[k,n]·a_n, then + b of shape (N)
///     W·x:  [M, K]·[…, K, L]  → […, M, L]      W′[m,k] = a_m·W[m,k], then + b of shape (M, 1)
///
/// The channels of a batch normalization are on axis 1, which is the product's for x·W of rank 2 and for W·x of
/// rank 3: [B, L, K]·[K, N] has L on axis 1.
/// Refuses: any other axis, so a normalization directly behind [B, L, K]·[K, N], which normalises L; a weight that is
/// not constant or that a caller may override; results that are not finite in the weight's element type. A mere sum
/// behind the product stays what it is.
/// Source: ONNX MatMul-13.
struct IntoMatMul: BackwardStep {
    let name = "batchnorm-into-matmul"
    let types = ["MatMul"]

    func take(_ site: BackwardSite, in plan: inout BackwardPlan) throws(FoldRefusal) {
        let weight = try Weight(of: site)
        let affine = try weight.channels(site)
        var inputs = site.node.inputs
        if affine.hasScale {
            let scaling = weight.scaling
            let (tensor, factors) = (weight.tensor, affine.scale)
            inputs[weight.position] = plan.constant(in: weight.name, of: site.node, role: "weight") {
                () throws(FoldRefusal) in try scaling.scaled(tensor, by: factors)
            }
        }
        guard !affine.hasShift || plan.mayAddSums else {
            throw site.refusal("a sum behind a product is as good as a bias")
        }
        plan.absorbed(at: site, by: name)
        guard affine.hasShift else {
            try plan.replace(site, inputs: inputs)
            return
        }
        let bias = ChannelConstant(rank: weight.rank, axis: weight.axis)
        let type = weight.tensor.elementType
        let biasName = plan.constant(in: nil, of: site.node, role: "bias") { () throws(FoldRefusal) in
            try bias.through(affine, constant: nil, type: type)
        }
        let sumName = plan.unusedNodeName(site.node.name + "_bias")
        try plan.append(to: site, inputs: inputs) { (product) throws(FoldRefusal) in
            try Node.made(
                name: sumName, type: "Add", opset: site.context.graph.opset, inputs: [product, biasName],
                outputs: [site.demand.name])
        }
    }

    /// The constant operand of a product.
    private struct Weight {
        let name: String
        let tensor: Tensor
        /// Among the product's inputs, 0 or 1.
        let position: Int
        /// The product's rank, and its axis that the weight makes.
        let rank: Int
        let axis: Int
        private let inputRank: Int

        init(of site: BackwardSite) throws(FoldRefusal) {
            guard let left = site.node.input(0), let right = site.node.input(1) else {
                throw site.refusal("an operand is absent")
            }
            let graph = site.context.graph
            // With two constant operands the product would be one; with none, the reason is the right one's.
            position = graph.fixedConstant(right) == nil && graph.fixedConstant(left) != nil ? 0 : 1
            name = position == 1 ? right : left
            tensor = try site.context.foldableConstant(name, role: "weight")
            guard let inputRank = site.input(1 - position)?.rank else {
                throw site.refusal("the rank of '\(position == 1 ? left : right)' is not known")
            }
            self.inputRank = inputRank
            rank = max(inputRank, tensor.shape.rank)
            axis = position == 1 ? rank - 1 : rank - 2
        }

        /// The affine on the product's output axis.
        func channels(_ site: BackwardSite) throws(FoldRefusal) -> Affine {
            let affine = site.affine
            let isUniform = affine.isUniform
            guard tensor.shape.rank == 2, inputRank >= 2, isUniform || affine.axis == axis else {
                throw site.refusal(
                    """
                    the channels are axis \(affine.axis) of the product, its weight's outputs are axis \(axis) \
                    of rank \(rank)
                    """)
            }
            return try site.channels(tensor.shape[position == 1 ? 1 : 0], axis: axis, of: "weight")
        }

        var scaling: WeightScaling {
            position == 1
                ? WeightScaling(outerCount: tensor.shape[0], channelCount: tensor.shape[1], innerCount: 1)
                : WeightScaling(outerCount: 1, channelCount: tensor.shape[0], innerCount: tensor.shape[1])
        }
    }
}
