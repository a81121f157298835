import Tensors

/// An operator that runs subgraphs.
///
/// Its inputs are its own, then the values that the subgraphs capture, the same for each.
package protocol ControlFlowOperator: Operator {
    var subgraphs: [Subgraph] { get }

    /// The most times that inference goes through one subgraph.
    var inferencePassCount: Int { get }

    /// The outputs' elements; the evaluator runs the subgraphs and takes what they do from the budget.
    func evaluate(
        _ inputs: [ExactTensor?], outputCount: Int, evaluator: Evaluator, budget: inout EvaluationBudget
    ) throws(GraphError) -> [ExactTensor]
}

extension ControlFlowOperator {
    package var inferencePassCount: Int { 1 }

    package func evaluate(
        _ inputs: [ExactTensor?], outputCount: Int
    ) throws(GraphError) -> [ExactTensor] {
        var budget = EvaluationBudget.run
        return try evaluate(
            inputs, outputCount: outputCount, evaluator: Evaluator(rounding: .exact), budget: &budget)
    }

    /// The one element of a condition or a count.
    func scalar(
        _ inputs: [ExactTensor?], _ index: Int, _ name: String, _ type: ElementType
    ) throws(GraphError) -> Int64 {
        let tensor = try tensor(inputs, index, name)
        guard tensor.elementType == type, let value = tensor.integers?.first, tensor.shape.count == 1 else {
            throw error("\(name) is \(tensor.elementType)\(tensor.shape), expected one element of \(type)")
        }
        return value
    }

    /// Throws for what cannot be one element of `type`.
    func checkScalar(_ info: ValueInfo?, _ name: String, _ type: ElementType) throws(GraphError) {
        guard let info else { throw error("the input \(name) is absent") }
        guard info.elementType == nil || info.elementType == type,
            info.dimensions?.allSatisfy({ $0.value == nil || $0.value == 1 }) ?? true
        else { throw error("\(name) is \(info), expected one element of \(type)") }
    }

    /// The value's element, when it is the same in every run.
    func knownScalar(_ info: ValueInfo?) -> Int64? {
        if let elements = info?.knownElements, elements.count == 1 { return Int64(elements[0]) }
        guard let constant = info?.constant, constant.shape.count == 1 else { return nil }
        return ExactTensor(constant).integers?.first
    }
}

extension ValueInfo {
    /// What is known when the value is one of two, as in the branches of an If. `nil` for two element types.
    func merged(with other: ValueInfo) -> ValueInfo? {
        guard elementType == nil || other.elementType == nil || elementType == other.elementType else {
            return nil
        }
        var merged = ValueInfo(elementType ?? other.elementType, nil)
        if let dimensions, let others = other.dimensions {
            merged.dimensions = Self.merged(dimensions, others)
        }
        if let elements, let others = other.elements { merged.elements = Self.merged(elements, others) }
        return merged
    }

    private static func merged(_ left: [Dimension], _ right: [Dimension]) -> [Dimension]? {
        guard left.count == right.count else { return nil }
        return zip(left, right).map { $0 == $1 ? $0 : .unknown }
    }

    /// Type and dimensions alone: a value that changes from one iteration to the next.
    var varying: ValueInfo { ValueInfo(elementType, dimensions) }
}
