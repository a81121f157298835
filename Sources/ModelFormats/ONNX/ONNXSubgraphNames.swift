import Graph
import Tensors

/// Puts the names of the values around a subgraph into it: a file knows captures by name, and a fold may have changed the
/// names since they were read.
enum ONNXSubgraphNames {
    /// The subgraph's graph with each capture called as in `captures`, and with no value of its own called as one in
    /// `visible`.
    static func renamed(_ subgraph: Subgraph, captures: [String?], _ visible: Set<String>) -> Graph {
        var graph = subgraph.graph
        let own = names(graph.nodes, graph.constants, graph.inputs)
        var unused = UniqueNames(stated: own.union(visible))
        var map: [String: String] = [:]
        for name in own.sorted() where visible.contains(name) { map[name] = unused.next(stem: name) }
        for (inner, outer) in zip(subgraph.captures, captures) { map[inner] = outer }
        func renamed(_ name: String) -> String { map[name] ?? name }
        graph.inputs = graph.inputs.map { Graph.Port(name: renamed($0.name), info: $0.info) }
        graph.outputs = graph.outputs.map { Graph.Port(name: renamed($0.name), info: $0.info) }
        graph.constants = Dictionary(
            uniqueKeysWithValues: graph.constants.map { (renamed($0.key), $0.value) })
        return graph.renamingNodeValues { renamed($0) }
    }

    /// Every name that means a value in a graph of these.
    static func names(
        _ nodes: [Node], _ constants: [String: Tensor], _ inputs: [Graph.Port]
    ) -> Set<String> {
        var names = Set(constants.keys).union(inputs.map(\.name))
        for node in nodes {
            names.formUnion(node.inputs.compactMap { $0 })
            names.formUnion(node.outputs.compactMap { $0 })
        }
        return names
    }
}
