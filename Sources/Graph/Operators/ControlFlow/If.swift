import Tensors

/// One of two subgraphs: the first where the condition, one bool, is true.
///
/// Neither takes parameters: they read the values around them. Both give as many outputs, of the same types; the shapes
/// may differ.
///
/// Source: ONNX If-1, -11 (outputs' shapes may differ), -13, -16, -19, -21, -23, -24, -25 (types).
package struct If: ControlFlowOperator {
    package static let type = "If"

    package let thenBranch: Subgraph
    package let elseBranch: Subgraph

    package init(_ attributes: inout AttributeReader) throws(GraphError) {
        thenBranch = try attributes.subgraph("then_branch")
        elseBranch = try attributes.subgraph("else_branch")
        for branch in [thenBranch, elseBranch] where branch.parameterCount > 0 {
            throw error("a branch has \(branch.parameterCount) inputs, expected 0")
        }
        guard thenBranch.graph.outputs.count == elseBranch.graph.outputs.count else {
            throw error(
                "the branches have \(thenBranch.graph.outputs.count) and \(elseBranch.graph.outputs.count) outputs"
            )
        }
    }

    package var subgraphs: [Subgraph] { [thenBranch, elseBranch] }
    package var inputCount: ClosedRange<Int> {
        1 + thenBranch.captures.count...1 + thenBranch.captures.count
    }
    package var outputCount: ClosedRange<Int> { 0...thenBranch.graph.outputs.count }

    /// The branch that runs, when the condition is the same in every run.
    package func branch(_ condition: ValueInfo?) -> Subgraph? {
        knownScalar(condition).map { $0 != 0 ? thenBranch : elseBranch }
    }

    package func inferOutputs(_ inputs: [ValueInfo?], outputCount: Int) throws(GraphError) -> [ValueInfo] {
        guard let condition = inputs.first else { throw error("the input cond is absent") }
        try checkScalar(condition, "cond", .bool)
        let captures = Array(inputs.dropFirst())
        if let branch = branch(condition) {
            return Array(try branch.inferOutputs(captures).prefix(outputCount))
        }
        // A branch that no run could finish is one that no run takes: a squeeze of an axis that is not 1, say.
        let thenOutputs: [ValueInfo]
        do {
            thenOutputs = try thenBranch.inferOutputs(captures)
        } catch let failure {
            guard let outputs = try? elseBranch.inferOutputs(captures) else { throw failure }
            return outputs.prefix(outputCount).map(\.varying)
        }
        guard let elseOutputs = try? elseBranch.inferOutputs(captures) else {
            return thenOutputs.prefix(outputCount).map(\.varying)
        }
        var outputs: [ValueInfo] = []
        for (index, (left, right)) in zip(thenOutputs, elseOutputs).prefix(outputCount).enumerated() {
            guard let merged = left.merged(with: right) else {
                throw error("output \(index) is \(left) in one branch and \(right) in the other")
            }
            outputs.append(merged)
        }
        return outputs
    }

    package func evaluate(
        _ inputs: [ExactTensor?], outputCount: Int, evaluator: Evaluator, budget: inout EvaluationBudget
    ) throws(GraphError) -> [ExactTensor] {
        let branch = try scalar(inputs, 0, "cond", .bool) != 0 ? thenBranch : elseBranch
        return Array(
            try evaluator.run(branch, Array(inputs.dropFirst()), budget: &budget).prefix(outputCount))
    }
}
