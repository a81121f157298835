import Graph

/// Lowers the nodes of a graph one by one, and lets operations absorb the nodes behind them.
struct StepBuilder {
    private(set) var steps: [Step] = []
    private let context: LoweringContext

    init(_ context: LoweringContext, _ lowerings: LoweringCatalog) {
        self.context = context
        let index = GraphIndex(context.graph)
        // Where the step is that defines a value.
        var positions: [String: Int] = [:]
        var slots: [Step?] = []
        for node in context.graph.nodes {
            if let (position, merged) = absorbed(node, slots, positions, index) {
                // The merged step runs where the absorbed node stood: everything that it reads is there by then, and nobody
                // else reads what it computed before.
                slots[position] = nil
                slots.append(merged)
            } else {
                let lowered = lowerings.lower(node, context)
                slots.append(Step(nodes: [node], operation: lowered.operation, inputs: lowered.inputs))
            }
            for case let name? in node.outputs { positions[name] = slots.count - 1 }
        }
        steps = slots.compactMap { $0 }
    }

    /// The step that can take `node` in, with it; the latest one when there are several.
    private func absorbed(
        _ node: Node, _ slots: [Step?], _ positions: [String: Int], _ index: GraphIndex
    ) -> (position: Int, step: Step)? {
        guard node.outputs.count == 1 else { return nil }
        var best: (position: Int, step: Step)?
        for (operand, name) in node.inputs.enumerated() {
            guard let name, let position = positions[name], position > best?.position ?? -1,
                let producer = slots[position], producer.outputs.count == 1,
                !index.isGraphOutput(name), index.consumers(of: name).count == 1,
                node.inputs.filter({ $0 == name }).count == 1,
                let absorbed = producer.operation.absorbing(node, operand: operand, context)
            else { continue }
            best = (
                position,
                Step(
                    nodes: producer.nodes + [node], operation: absorbed.operation,
                    inputs: producer.inputs + absorbed.addedInputs)
            )
        }
        return best
    }
}
