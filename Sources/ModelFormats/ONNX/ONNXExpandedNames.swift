import Graph

/// The names that the values and nodes of expanded functions get, and how much they take.
final class ONNXExpandedNames {
    private var values: UniqueNames
    private var nodes: UniqueNames
    /// What all names and whatever else is counted take in memory, about.
    private(set) var byteCount = 0

    /// Nothing gets a name that `graph` or a graph inside it states.
    init(_ graph: ONNXGraphProto) {
        var values: Set<String> = []
        var nodes: Set<String> = []
        Self.visit(graph, &values, &nodes)
        self.values = UniqueNames(stated: values)
        self.nodes = UniqueNames(stated: nodes)
    }

    func nextValue(_ name: String, in call: String) throws(GraphError) -> String {
        let stem = "\(call)/\(name)"
        try count(stem.utf8.count)
        return values.next(stem: stem)
    }

    func nextNode(_ name: String, in call: String) throws(GraphError) -> String {
        let stem = "\(call)/\(name)"
        try count(stem.utf8.count)
        return nodes.next(stem: stem)
    }

    /// Throws past what the structure of a model may take.
    func count(_ byteCount: Int) throws(GraphError) {
        self.byteCount += byteCount
        guard self.byteCount <= ONNXLimits.maximumStructureByteCount else {
            throw .limit(
                "bytes of expanded functions", maximum: ONNXLimits.maximumStructureByteCount,
                actual: self.byteCount)
        }
    }

    private static func visit(
        _ graph: ONNXGraphProto, _ values: inout Set<String>, _ nodes: inout Set<String>
    ) {
        values.formUnion(graph.input.lazy.map(\.name))
        values.formUnion(graph.output.lazy.map(\.name))
        values.formUnion(graph.initializer.lazy.map(\.name))
        values.formUnion(graph.sparseInitializer.lazy.map(\.values.name))
        for node in graph.node {
            nodes.insert(node.name)
            values.formUnion(node.input)
            values.formUnion(node.output)
            for attribute in node.attribute where attribute.hasG { visit(attribute.g, &values, &nodes) }
        }
    }
}
