import Graph
import Tensors

/// Folds an affine into the matrix product and the constant sum before it: a dense layer as many exporters write it.
///
///     x·W + c:  W′ = W⊙a by output, c′ = a⊙c + b
///
/// Shapes: W see `MatMulWeight`; c anything that broadcasts to the product, on either side of Add.
/// Refuses: what the fold into MatMul refuses; a sum that a caller may override, that has more axes than the product,
/// or that has another consumer or is a graph output. A sum of two values that vary is not this rule's.
struct FoldIntoMatMulAdd: FoldRule {
    let name = "batchnorm-into-matmul-add"

    func proposal(at node: Node, in context: FoldContext) throws(FoldRefusal) -> FoldProposal? {
        guard let sum = BackwardSite.producer(before: node, type: "Add", in: context),
            let operands = operands(of: sum, in: context),
            var site = try BackwardSite(at: node, after: "Add", in: context)
        else { return nil }
        try context.requireSoleUse(of: operands.productName, by: sum)
        let bias = try context.foldableConstant(operands.biasName, role: "bias")
        let weight = try MatMulWeight(of: operands.product, for: &site, in: context)
        return try weight.proposal(product: operands.product, sum: sum, site: site, bias: bias, in: context)
    }

    /// The product and the constant that `sum` adds; `nil` when it adds anything else.
    private func operands(
        of sum: Node, in context: FoldContext
    ) -> (product: Node, productName: String, biasName: String)? {
        for (productName, biasName) in [(sum.input(0), sum.input(1)), (sum.input(1), sum.input(0))] {
            if let productName, let biasName, context.graph.constants[biasName] != nil,
                let product = context.index.producer(of: productName), product.type == "MatMul"
            {
                return (product, productName, biasName)
            }
        }
        return nil
    }
}
