import Graph

/// Lowers the nodes of a graph one by one, and lets operations absorb the nodes behind them.
struct StepBuilder {
    private(set) var steps: [Step] = []
    /// What steps read while they run.
    private var keptNames: Set<String> = []
    /// Weights leave it as they are packed: nobody else should hold them, or a model takes twice its size for a moment.
    private(set) var context: LoweringContext
    /// The values in which the graph's outputs lie plain.
    private(set) var outputNames: [String] = []
    private var slots: [Step?] = []
    /// The copies of values in another layout.
    private var copies: [String: String] = [:]

    init(_ context: consuming LoweringContext, _ lowerings: LoweringCatalog) {
        self.context = context
        context.graph.constants = [:]
        context.values = [:]
        let index = GraphIndex(context.graph)
        var remainingUses = context.graph.useCounts
        // Where the step is that defines a value.
        var positions: [String: Int] = [:]
        for node in context.graph.nodes {
            if let (position, merged) = absorbed(node, positions, index) {
                // The merged step runs where the absorbed node stood: everything that it reads is there by then, and nobody
                // else reads what it computed before.
                slots[position] = nil
                add(merged)
            } else {
                let lowered = lowerings.lower(node, self.context)
                let inputs = zip(lowered.inputs, lowered.inputLayouts).map { reordered($0, $1) }
                var step = Step(
                    nodes: [node], operation: lowered.operation, inputs: inputs, layout: lowered.outputLayout)
                for (name, copy) in zip(lowered.inputs, inputs) where name != copy {
                    step.copies[name] = copy
                }
                add(step)
            }
            for case let name? in node.outputs { positions[name] = slots.count - 1 }
            for case let name? in node.inputs {
                remainingUses[name, default: 0] -= 1
                if remainingUses[name] == 0 { release(name, index) }
            }
        }
        outputNames = self.context.graph.outputs.map { reordered($0.name, .plain) }
        steps = slots.compactMap { $0 }
    }

    private mutating func add(_ step: Step) {
        slots.append(step)
        keptNames.formUnion(step.inputs)
        for case let name? in step.outputs {
            context.layouts[name] = step.layout == .plain ? nil : step.layout
        }
    }

    /// The value that holds `name` in `layout`: itself, or a copy that is made once.
    private mutating func reordered(_ name: String, _ layout: ValueLayout) -> String {
        guard context.layout(name) != layout else { return name }
        if let copy = copies[name] { return copy }
        var copy = name + " (\(layout.rawValue))"
        while context.values[copy] != nil { copy += "'" }
        copies[name] = copy
        context.values[copy] = context.values[name]
        guard
            let node = try? Node(
                name: copy, type: Identity.type, opset: context.graph.opset, inputs: [name], outputs: [copy])
        else { preconditionFailure("Identity has one input and one output") }
        add(Step(nodes: [node], operation: ReorderOperation(target: layout), inputs: [name], layout: layout))
        return copy
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
    private mutating func absorbed(
        _ node: Node, _ positions: [String: Int], _ index: GraphIndex
    ) -> (position: Int, step: Step)? {
        guard node.outputs.count == 1 else { return nil }
        var best: (position: Int, producer: Step, absorbed: AbsorbedOperation)?
        for (operand, name) in node.inputs.enumerated() {
            guard let name, let position = positions[name], position > best?.position ?? -1,
                let producer = slots[position], producer.outputs.count == 1,
                !index.isGraphOutput(name), index.consumers(of: name).count == 1,
                node.inputs.filter({ $0 == name }).count == 1,
                let absorbed = producer.operation.absorbing(node, operand: operand, context)
            else { continue }
            best = (position, producer, absorbed)
        }
        guard let (position, producer, absorbed) = best else { return nil }
        let added = absorbed.addedInputs.map { reordered($0, producer.layout) }
        return (
            position,
            Step(
                nodes: producer.nodes + [node], operation: absorbed.operation,
                inputs: producer.inputs + added,
                layout: producer.layout)
        )
    }
}
