import Tensors

/// An operator on the elements of two inputs that are broadcast together.
///
/// Inputs: A and B, of one element type. Outputs: C, of the shape that both are broadcast to.
package protocol BinaryOperator: Operator {
    /// What is known of an element of C, for integers that may be symbols: the shapes that graphs compute.
    func follow(_ a: Dimension, _ b: Dimension) -> Dimension
}

extension BinaryOperator {
    package var inputCount: ClosedRange<Int> { 2...2 }

    package func follow(_ a: Dimension, _ b: Dimension) -> Dimension { .unknown }

    /// The broadcast shape, and what is known of the elements.
    @_semantics("optimize.sil.specialize.generic.never")
    func infer(
        _ inputs: [ValueInfo?], to type: ElementType?
    ) throws(GraphError) -> ValueInfo {
        let (a, b) = (try required(inputs, 0, "A"), try required(inputs, 1, "B"))
        let dimensions = try broadcast([a.dimensions, b.dimensions])
        return try output(type, dimensions, elements: followed(a, b, dimensions))
    }

    @_semantics("optimize.sil.specialize.generic.never")
    private func followed(_ a: ValueInfo, _ b: ValueInfo, _ dimensions: [Dimension]?) -> [Dimension]? {
        guard let first = a.elements, let second = b.elements, let dimensions, dimensions.count <= 1,
            let count = dimensions.isEmpty ? 1 : dimensions[0].value,
            [1, count].contains(first.count), [1, count].contains(second.count)
        else { return nil }
        return (0..<count).map { index in
            follow(first[first.count == 1 ? 0 : index], second[second.count == 1 ? 0 : index])
        }
    }

    /// Both inputs with as many elements as the output.
    @_semantics("optimize.sil.specialize.generic.never")
    func operands(_ inputs: [ExactTensor?]) throws(GraphError) -> (ExactTensor, ExactTensor, Shape) {
        let target = try outputShape(inputs)
        let (a, b) = (try tensor(inputs, 0, "A"), try tensor(inputs, 1, "B"))
        return (a.broadcast(to: target), b.broadcast(to: target), target)
    }
}
