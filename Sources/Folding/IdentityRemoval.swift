import Graph

/// Removes the nodes that give back what they read: Identity, Dropout in inference, and Cast to the type that the value
/// has, which a Keras export puts between any two layers.
///
/// The two values are the same function of the inputs, so either name is right. The name before the node stays, unless
/// the one behind it is the graph's output: then the node before it defines that name instead. A node between a
/// graph's input, constant or output and another of its outputs stays: both names are asked for.
package struct IdentityRemoval {
    package init() {}

    package func run(_ graph: Graph) throws(GraphError) -> Graph {
        let index = GraphIndex(graph)
        let hasCasts = graph.nodes.contains { $0.operation is Cast || $0.operation is CastLike }
        let values = hasCasts ? try graph.inferValues() : [:]
        var renamed: [String: String] = [:]
        // A removed name stands for a source, and a source may stand for the output that took its place: two steps.
        func resolved(_ name: String) -> String {
            let source = renamed[name] ?? name
            return renamed[source] ?? source
        }
        var edit = GraphEdit()
        for node in graph.nodes where isIdentity(node, in: index, values) {
            guard let input = node.input(0), let output = node.outputs.first ?? nil else { continue }
            let source = resolved(input)
            if !index.isGraphOutput(output) {
                renamed[output] = source
            } else if index.producer(of: source) != nil, !index.isGraphOutput(source) {
                renamed[source] = output
            } else {
                continue
            }
            edit.removedNodes.insert(node.identifier)
        }
        guard !edit.removedNodes.isEmpty else { return graph }
        for node in graph.nodes where !edit.removedNodes.contains(node.identifier) {
            let names = node.inputs + node.outputs
            guard names.contains(where: { $0.map { renamed[$0] != nil } ?? false }) else { continue }
            var replacement = node
            replacement.inputs = node.inputs.map { $0.map(resolved) }
            replacement.outputs = node.outputs.map { $0.map(resolved) }
            edit.replacements[node.identifier] = replacement
        }
        return try graph.applying(edit)
    }

    /// Whether the first output is the first input, and nobody asks for another.
    private func isIdentity(_ node: Node, in index: GraphIndex, _ values: [String: ValueInfo]) -> Bool {
        guard node.domain.isEmpty || node.domain == "ai.onnx", let input = node.input(0) else { return false }
        switch node.type {
        case "Identity": return true
        case "Cast", "CastLike":
            guard let output = node.outputs.first ?? nil, let type = values[output]?.elementType else {
                return false
            }
            return values[input]?.elementType == type
        case "Dropout": return isInferenceDropout(node, in: index)
        default: return false
        }
    }

    private func isInferenceDropout(_ node: Node, in index: GraphIndex) -> Bool {
        for case let mask? in node.outputs.dropFirst()
        where index.isGraphOutput(mask) || !index.consumers(of: mask).isEmpty {
            return false
        }
        // Since opset 12 an input may ask for training.
        guard let training = node.input(2) else { return true }
        guard let tensor = index.graph.fixedConstant(training), tensor.shape.count == 1 else { return false }
        return tensor.withUnsafeBytes { $0.allSatisfy { $0 == 0 } }
    }
}
