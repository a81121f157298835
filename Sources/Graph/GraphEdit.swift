import Tensors

/// A change of a graph as a pure value: a rule proposes it, the pipeline applies it.
package struct GraphEdit: Sendable {
    package var removedNodes: Set<Node.Identifier>
    package var insertedNodes: [Node]
    /// Nodes that take the place and the identifier of another: an edit that changes a node where it stands keeps the
    /// graph's order.
    package var replacements: [Node.Identifier: Node]
    /// Nodes that take the place of one and keep their own identifiers: the sources of a node that was recognised.
    package var expansions: [Node.Identifier: [Node]]
    /// New constants; none may have the name of a value that exists.
    package var insertedConstants: [String: Tensor]

    package init(
        removedNodes: Set<Node.Identifier> = [], insertedNodes: [Node] = [],
        replacements: [Node.Identifier: Node] = [:], expansions: [Node.Identifier: [Node]] = [:],
        insertedConstants: [String: Tensor] = [:]
    ) {
        self.removedNodes = removedNodes
        self.insertedNodes = insertedNodes
        self.replacements = replacements
        self.expansions = expansions
        self.insertedConstants = insertedConstants
    }
}

extension Graph {
    /// The graph with `edit` applied; this one stays as it is.
    ///
    /// Throws `GraphError` when the edit would leave a value undefined or define one twice.
    package func applying(_ edit: GraphEdit) throws(GraphError) -> Graph {
        var result = self
        for (name, tensor) in edit.insertedConstants {
            guard result.constants.updateValue(tensor, forKey: name) == nil else {
                throw .duplicateValue(name: name)
            }
        }
        result.nodes = result.nodes.flatMap { node in
            guard !edit.removedNodes.contains(node.identifier) else { return [Node]() }
            if let expansion = edit.expansions[node.identifier] { return expansion }
            guard var replacement = edit.replacements[node.identifier] else { return [node] }
            replacement.identifier = node.identifier
            return [replacement]
        }
        try result.insert(edit.insertedNodes)
        return result
    }

    /// The graph without the nodes and constants that no output depends on.
    package func removingUnused() -> Graph {
        var needed = Set(outputs.map(\.name))
        var kept: [Node] = []
        for node in nodes.reversed() where node.outputs.contains(where: { $0.map(needed.contains) ?? false })
        {
            kept.append(node)
            for case let name? in node.inputs { needed.insert(name) }
            for source in node.sources {
                for case let name? in source.inputs { needed.insert(name) }
            }
        }
        var result = self
        result.nodes = kept.reversed()
        result.constants = constants.filter { needed.contains($0.key) || overridableInputs.contains($0.key) }
        return result
    }

    /// A name that begins with `stem` and that no value of the graph has.
    package func unusedValueName(_ stem: String, besides taken: Set<String> = []) -> String {
        var names = Set(constants.keys).union(inputs.map(\.name)).union(taken)
        for node in nodes {
            names.formUnion(node.outputs.compactMap { $0 })
            for source in node.sources { names.formUnion(source.outputs.compactMap { $0 }) }
        }
        guard names.contains(stem) else { return stem }
        var number = 1
        while names.contains("\(stem)_\(number)") { number += 1 }
        return "\(stem)_\(number)"
    }
}
