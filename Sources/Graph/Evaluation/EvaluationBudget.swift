/// How much subgraphs may still do: a loop may ask for any number of iterations.
package struct EvaluationBudget: Sendable {
    private let maximumNodeCount: Int
    private let maximumElementCount: Int
    /// The most elements that the stacked outputs of one loop may have together.
    let maximumStackedElementCount: Int
    private var nodeCount = 0
    private var elementCount = 0

    package init(
        nodeCount: Int, elementCount: Int,
        stackedElementCount: Int = EvaluationLimits.maximumElementCount
    ) {
        maximumStackedElementCount = stackedElementCount
        maximumNodeCount = nodeCount
        maximumElementCount = elementCount
    }

    /// For a run that a caller asked for.
    package static let run = EvaluationBudget(nodeCount: 10_000_000, elementCount: 1 << 33)
    /// For what is computed once, while a model is loaded.
    package static let loading = EvaluationBudget(nodeCount: 100_000, elementCount: 1 << 26)

    /// Throws `GraphError.limit` past the greatest number of nodes that may be evaluated.
    mutating func spend(nodeCount count: Int) throws(GraphError) {
        nodeCount += count
        guard nodeCount <= maximumNodeCount else {
            throw .limit("nodes evaluated in subgraphs", maximum: maximumNodeCount, actual: nodeCount)
        }
    }

    /// Throws `GraphError.limit` past the greatest number of elements that may be read and written.
    mutating func spend(on inputs: [ExactTensor?], _ outputs: [ExactTensor]) throws(GraphError) {
        for case let tensor? in inputs { elementCount += tensor.shape.count }
        for tensor in outputs { elementCount += tensor.shape.count }
        guard elementCount <= maximumElementCount else {
            throw .limit(
                "elements read and written in subgraphs", maximum: maximumElementCount, actual: elementCount)
        }
    }
}
