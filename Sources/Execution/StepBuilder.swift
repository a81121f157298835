import Graph

/// Lowers the nodes of a graph one by one, and lets operations absorb the nodes behind them.
struct StepBuilder {
    private(set) var steps: [Step] = []
    /// What steps read while they run.
    private var keptNames: Set<String> = []
    /// Weights leave it as they are packed: nobody else should hold them, or a model takes twice its size for a moment.
    private(set) var context: LoweringContext

    init(_ context: consuming LoweringContext, _ lowerings: LoweringCatalog) {
        self.context = context
        context.graph.constants = [:]
        context.values = [:]
        let index = GraphIndex(context.graph)
        var remainingUses = context.graph.useCounts
        // Where the step is that defines a value.
        var positions: [String: Int] = [:]
        var slots: [Step?] = []
        for node in context.graph.nodes {
            var inputs: Set<String> = []
            if let (position, merged) = absorbed(node, slots, positions, index) {
                // The merged step runs where the absorbed node stood: everything that it reads is there by then, and nobody
                // else reads what it computed before.
                slots[position] = nil
                slots.append(merged)
                inputs = Set(merged.inputs)
            } else {
                let lowered = lowerings.lower(node, self.context)
                inputs = Set(lowered.inputs)
                slots.append(Step(nodes: [node], operation: lowered.operation, inputs: lowered.inputs))
            }
            for case let name? in node.outputs { positions[name] = slots.count - 1 }
            keptNames.formUnion(inputs)
            for case let name? in node.inputs {
                remainingUses[name, default: 0] -= 1
                if remainingUses[name] == 0 { release(name, index) }
            }
        }
        steps = slots.compactMap { $0 }
    }

    /// Lets go of a constant that only packed copies are read of.
    private mutating func release(_ name: String, _ index: GraphIndex) {
        guard !keptNames.contains(name), !index.isGraphOutput(name),
            let tensor = context.graph.fixedConstant(name),
            tensor.shape.count > ValueInfo.maximumFollowedElements
        else { return }
        context.release(name)
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
