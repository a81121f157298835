import Graph
import Tensors

extension Graph {
    /// The most elements of a value that is computed once instead of in every run.
    static var maximumPrecomputedElements: Int { 1 << 27 }

    /// The graph without the nodes whose inputs are all constant: their outputs are constants.
    func precomputingConstants() throws(GraphError) -> Graph {
        let values = try inferValues()
        let evaluator = Evaluator(rounding: .declared)
        var result = self
        var removed: Set<Node.Identifier> = []
        var inserted: [String: Tensor] = [:]
        for node in nodes {
            // A loop over constants may still be long: it runs when a caller asks for it.
            if node.operation.controlFlow != nil { continue }
            var arguments: [ExactTensor?] = []
            var isConstant = true
            for name in node.inputs {
                guard let name else {
                    arguments.append(nil)
                    continue
                }
                guard let tensor = inserted[name] ?? fixedConstant(name) else {
                    isConstant = false
                    break
                }
                arguments.append(ExactTensor(tensor))
            }
            guard isConstant, Self.isSmall(node, values) else { continue }
            for (name, value) in try zip(node.outputs, evaluator.evaluate(node, arguments)) {
                if let name { inserted[name] = value.tensor }
            }
            removed.insert(node.identifier)
        }
        guard !removed.isEmpty else { return self }
        let edit = GraphEdit(removedNodes: removed, insertedNodes: [], insertedConstants: inserted)
        result = try applying(edit)
        return result.removingUnused()
    }

    /// Whether the outputs' sizes are known and may be kept.
    private static func isSmall(_ node: Node, _ values: [String: ValueInfo]) -> Bool {
        node.outputs.allSatisfy { name in
            guard let name else { return true }
            guard let dimensions = values[name]?.shape, let shape = try? Shape(dimensions) else {
                return false
            }
            return shape.count <= maximumPrecomputedElements
        }
    }
}
