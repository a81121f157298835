import Tensors

/// The values that the iterations of a Loop or a Scan give, stacked along a new axis at the end.
struct TensorStacks {
    private var parts: [[ExactTensor]]
    private var elementCount = 0
    private let maximumElementCount: Int

    init(count: Int, within budget: EvaluationBudget) {
        maximumElementCount = budget.maximumStackedElementCount
        parts = [[ExactTensor]](repeating: [], count: count)
    }

    /// Adds one value to each stack. Throws for a value of another type or shape than the one before it, and when all
    /// stacks together have more elements than one output may.
    mutating func append(
        _ values: ArraySlice<ExactTensor>, of operation: some ControlFlowOperator
    ) throws(GraphError) {
        for (index, value) in values.enumerated() {
            if let last = parts[index].last,
                last.shape != value.shape || last.elementType != value.elementType
            {
                throw operation.error(
                    "the iterations of a stacked output give \(last.elementType)\(last.shape) and "
                        + "\(value.elementType)\(value.shape)")
            }
            elementCount += value.shape.count
            parts[index].append(value)
        }
        guard elementCount <= maximumElementCount else {
            throw .limit("elements of stacked outputs", maximum: maximumElementCount, actual: elementCount)
        }
    }

    /// The rank of the values of a stack that is not empty.
    func rank(_ index: Int) -> Int { parts[index].first?.shape.rank ?? 0 }

    /// The stack along an axis of the result; there must be at least one value.
    func stacked(
        _ index: Int, axis: Int, isReversed: Bool = false, of operation: some ControlFlowOperator
    ) throws(GraphError) -> ExactTensor {
        let values = isReversed ? parts[index].reversed() : parts[index]
        let first = values[0]
        let shape = try operation.checkedShape([values.count] + first.shape.dimensions)
        let stack: ExactTensor
        switch first.elements {
        case .reals:
            stack = ExactTensor(
                reals: values.flatMap { $0.reals ?? [] }, shape: shape, elementType: first.elementType)
        case .integers:
            stack = ExactTensor(
                integers: values.flatMap { $0.integers ?? [] }, shape: shape, elementType: first.elementType)
        }
        guard axis > 0 else { return stack }
        var permutation = Array(1..<shape.rank)
        permutation.insert(0, at: axis)
        return stack.transposed(
            permutation, to: try operation.checkedShape(permutation.map { shape[$0] }))
    }
}

extension ControlFlowOperator {
    /// The stack of no values: what is not known of its shape is 0.
    func emptyStack(_ value: ValueInfo, axis: Int) throws(GraphError) -> ExactTensor {
        guard let type = value.elementType else { throw error("the type of a stacked output is not known") }
        var dimensions = (value.dimensions ?? []).map { $0.value ?? 0 }
        dimensions.insert(0, at: min(axis, dimensions.count))
        let shape = try checkedShape(dimensions)
        return type.isFloatingPoint
            ? ExactTensor(reals: [], shape: shape, elementType: type)
            : ExactTensor(integers: [], shape: shape, elementType: type)
    }
}
