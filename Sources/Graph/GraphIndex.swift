/// Who defines and who reads each value of a graph.
package struct GraphIndex: Sendable {
    private let producers: [String: Int]
    private let consumers: [String: [Int]]
    private let positions: [Node.Identifier: Int]
    private let outputNames: Set<String>
    package let graph: Graph

    package init(_ graph: Graph) {
        var producers: [String: Int] = [:]
        var consumers: [String: [Int]] = [:]
        var positions: [Node.Identifier: Int] = [:]
        producers.reserveCapacity(graph.nodes.count)
        consumers.reserveCapacity(graph.nodes.count + graph.constants.count)
        positions.reserveCapacity(graph.nodes.count)
        for (index, node) in graph.nodes.enumerated() {
            positions[node.identifier] = index
            for case let name? in node.outputs { producers[name] = index }
            for case let name? in node.inputs where consumers[name]?.last != index {
                consumers[name, default: []].append(index)
            }
        }
        self.producers = producers
        self.consumers = consumers
        self.positions = positions
        outputNames = Set(graph.outputs.map(\.name))
        self.graph = graph
    }

    package func node(_ identifier: Node.Identifier) -> Node? {
        positions[identifier].map { graph.nodes[$0] }
    }

    /// Where a node stands in the graph's order.
    package func position(of identifier: Node.Identifier) -> Int? { positions[identifier] }

    /// The node that defines `value`; `nil` for graph inputs and constants.
    package func producer(of value: String?) -> Node? {
        guard let value, let position = producers[value] else { return nil }
        return graph.nodes[position]
    }

    /// The nodes that read `value`, each once, in graph order.
    package func consumers(of value: String) -> [Node] { (consumers[value] ?? []).map { graph.nodes[$0] } }

    /// The first node other than `node` that reads `value`.
    package func consumer(of value: String, besides node: Node) -> Node? {
        consumers[value]?.first { graph.nodes[$0].identifier != node.identifier }.map { graph.nodes[$0] }
    }

    package func isGraphOutput(_ value: String) -> Bool { outputNames.contains(value) }
}
