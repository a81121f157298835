import Tensors

/// Puts the branch that runs in the place of each If whose condition is the same in every run, so that rules see what is
/// in it and fast steps can run it.
///
/// Values of the branch keep their names where the graph has no such value; what the If defines keeps its name in any
/// case.
package struct BranchInlining {
    /// A round inlines what is known to run after the rounds before it: a level of nesting, or a link in a chain of
    /// conditions. Whatever is left then stays.
    static let maximumRoundCount = 2 * Subgraph.maximumDepth

    package init() {}

    package func run(_ graph: Graph) throws(GraphError) -> Graph {
        var graph = graph
        for _ in 0..<Self.maximumRoundCount {
            guard graph.nodes.contains(where: { $0.operation is If }) else { return graph }
            let known = try ConstantPropagation().run(graph)
            var names = Names(graph)
            var edit = GraphEdit()
            for node in graph.nodes {
                guard let operation = node.operation as? If,
                    let condition = known.fixedConstant(node.input(0)),
                    let branch = operation.branch(ValueInfo(constant: condition))
                else { continue }
                edit.removedNodes.insert(node.identifier)
                try inline(branch, node, &edit, &names)
            }
            guard !edit.removedNodes.isEmpty else { return graph }
            graph = try graph.applying(edit)
        }
        return graph
    }

    private func inline(
        _ branch: Subgraph, _ node: Node, _ edit: inout GraphEdit, _ names: inout Names
    ) throws(GraphError) {
        let inner = branch.graph
        var map: [String: String] = [:]
        for (capture, outer) in zip(branch.captures, node.inputs.suffix(branch.captures.count)) {
            map[capture] = outer
        }
        // An output that a node of the branch defines gets the If's name there; another goes through an Identity.
        let defined = Set(inner.nodes.flatMap(\.outputs).compactMap { $0 })
        var copies: [(source: String, output: String)] = []
        for (port, output) in zip(inner.outputs, node.outputs) {
            guard let output else { continue }
            if defined.contains(port.name), map[port.name] == nil {
                map[port.name] = output
            } else {
                copies.append((port.name, output))
            }
        }
        for name in inner.constants.keys.sorted() { map[name] = names.nextValue(name) }
        for name in inner.nodes.flatMap(\.outputs).compactMap({ $0 }) where map[name] == nil {
            map[name] = names.nextValue(name)
        }
        for (name, tensor) in inner.constants { edit.insertedConstants[map[name] ?? name] = tensor }
        for var node in inner.renamingNodeValues({ map[$0] ?? $0 }).nodes {
            node.name = names.nextNode(node.name)
            edit.insertedNodes.append(node)
        }
        for (source, output) in copies {
            edit.insertedNodes.append(
                try Node(
                    name: names.nextNode(output), type: "Identity", opset: node.opset,
                    inputs: [map[source] ?? source], outputs: [output]))
        }
    }

    /// The names that are taken, and the number to try next for each stem.
    private struct Names {
        private var values: Set<String>
        private var nodes: Set<String>
        private var numbers: [String: Int] = [:]

        init(_ graph: Graph) {
            values = Set(graph.constants.keys).union(graph.inputs.map(\.name))
            values.formUnion(graph.nodes.flatMap { $0.outputs.compactMap { $0 } })
            nodes = Set(graph.nodes.map(\.name))
        }

        mutating func nextValue(_ stem: String) -> String { Self.next(stem, &values, &numbers) }

        mutating func nextNode(_ stem: String) -> String { Self.next(stem, &nodes, &numbers) }

        private static func next(
            _ stem: String, _ taken: inout Set<String>, _ numbers: inout [String: Int]
        ) -> String {
            if taken.insert(stem).inserted { return stem }
            var number = numbers[stem, default: 1]
            while !taken.insert("\(stem)_\(number)").inserted { number += 1 }
            numbers[stem] = number + 1
            return "\(stem)_\(number)"
        }
    }
}
