import Tensors

/// Runs a graph by its operators' own evaluations: slow, and right.
package struct Evaluator: Sendable {
    package enum Rounding: Sendable {
        /// Each node's output is rounded to its element type: what the graph declares.
        case declared
        /// Nothing is rounded but where the graph asks for it (Cast, QuantizeLinear): the reference.
        case exact
    }

    package let rounding: Rounding

    package init(rounding: Rounding) { self.rounding = rounding }

    /// The values called `wanted`, or all outputs of the graph.
    ///
    /// Throws `GraphError.missingValue` for an input that `inputs` lacks and no constant stands for, and whatever an
    /// operator throws, at its node.
    package func run(
        _ graph: Graph, inputs: [String: ExactTensor], wanted: [String]? = nil
    ) throws(GraphError) -> [String: ExactTensor] {
        var budget = EvaluationBudget.run
        return try run(graph, inputs: inputs, wanted: wanted, isSubgraph: false, budget: &budget)
    }

    private func run(
        _ graph: Graph, inputs: [String: ExactTensor], wanted: [String]?, isSubgraph: Bool,
        budget: inout EvaluationBudget
    ) throws(GraphError) -> [String: ExactTensor] {
        let wanted = wanted ?? graph.outputs.map(\.name)
        var remainingUses = graph.useCounts
        for name in wanted { remainingUses[name, default: 0] += 1 }
        var values = inputs
        for node in graph.nodes {
            var arguments: [ExactTensor?] = []
            for name in node.inputs {
                guard let name else {
                    arguments.append(nil)
                    continue
                }
                guard let value = values[name] ?? graph.constants[name].map(ExactTensor.init) else {
                    throw .missingValue(name: name, node: node.name)
                }
                arguments.append(value)
            }
            let results = try evaluate(node, arguments, budget: &budget)
            if isSubgraph { try budget.spend(on: arguments, results) }
            for (name, value) in zip(node.outputs, results) {
                if let name { values[name] = value }
            }
            // A value is let go after its last use: a deep network's would fill the memory.
            for case let name? in node.inputs {
                remainingUses[name, default: 0] -= 1
                if remainingUses[name] == 0 { values[name] = nil }
            }
        }
        var results: [String: ExactTensor] = [:]
        for name in wanted {
            guard let value = values[name] ?? graph.constants[name].map(ExactTensor.init) else {
                throw .undefinedOutput(name: name)
            }
            results[name] = value
        }
        return results
    }

    /// The outputs of a subgraph for its parameters and captures, in their order.
    ///
    /// Throws `GraphError.limit` when the budget does not suffice.
    func run(
        _ subgraph: Subgraph, _ arguments: [ExactTensor?], budget: inout EvaluationBudget
    ) throws(GraphError) -> [ExactTensor] {
        try budget.spend(nodeCount: 1 + subgraph.graph.nodes.count)
        var inputs: [String: ExactTensor] = [:]
        for (port, argument) in zip(subgraph.graph.inputs, arguments) { inputs[port.name] = argument }
        let values = try run(
            subgraph.graph, inputs: inputs, wanted: nil, isSubgraph: true, budget: &budget)
        var outputs: [ExactTensor] = []
        for port in subgraph.graph.outputs {
            guard let value = values[port.name] else { throw .undefinedOutput(name: port.name) }
            outputs.append(value)
        }
        return outputs
    }

    /// One node's outputs.
    package func evaluate(_ node: Node, _ arguments: [ExactTensor?]) throws(GraphError) -> [ExactTensor] {
        var budget = EvaluationBudget.run
        return try evaluate(node, arguments, budget: &budget)
    }

    /// One node's outputs; what its subgraphs do is taken from the budget.
    package func evaluate(
        _ node: Node, _ arguments: [ExactTensor?], budget: inout EvaluationBudget
    ) throws(GraphError) -> [ExactTensor] {
        do {
            if let operation = node.operation.controlFlow {
                // The subgraphs' nodes round as this evaluator does.
                return try operation.evaluate(
                    arguments, outputCount: node.outputs.count, evaluator: self, budget: &budget)
            }
            let outputs = try node.operation.evaluate(arguments, outputCount: node.outputs.count)
            return rounding == .declared ? outputs.map(\.rounded) : outputs
        } catch {
            throw error.at(node)
        }
    }
}
