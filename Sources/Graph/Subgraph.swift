/// A graph that a node runs: a branch of If, the body of Loop or Scan.
///
/// It may read values of the graphs around it. Those are inputs of the nested graph like any other: the last ones, under
/// the names that they have in it. The node that runs it reads them behind its own inputs, under the names that they have
/// there, so whoever renames, counts or removes values sees them. All subgraphs of one node capture the same list.
package struct Subgraph: Sendable {
    package let graph: Graph
    /// The names of the captured values inside the graph.
    package let captures: [String]
    /// One for a graph without subgraphs of its own.
    package let depth: Int
    /// Nodes and constants, those of nested subgraphs included: what it costs to go through it once.
    let weight: Int

    /// How deep subgraphs may lie in one another. Real models have two or three levels.
    package static let maximumDepth = 8

    /// `captures` are the last of the graph's inputs.
    ///
    /// Throws `GraphError.limit` when subgraphs lie too deep in one another.
    package init(_ graph: Graph, captures: [String]) throws(GraphError) {
        precondition(
            graph.inputs.suffix(captures.count).map(\.name) == captures, "the captures are the last inputs")
        self.graph = graph
        self.captures = captures
        depth = 1 + (graph.nodes.lazy.flatMap(\.subgraphs).map(\.depth).max() ?? 0)
        guard depth <= Self.maximumDepth else {
            throw .limit("nesting of subgraphs", maximum: Self.maximumDepth, actual: depth)
        }
        weight = Graph.weightedNodeCount(graph.nodes) + graph.constants.count
    }

    /// How many values the operator passes to it.
    package var parameterCount: Int { graph.inputs.count - captures.count }

    /// What is known of the outputs when this is known of the parameters and the captures.
    ///
    /// Throws the operators' errors, each at its node.
    package func inferOutputs(_ arguments: [ValueInfo?]) throws(GraphError) -> [ValueInfo] {
        var inputs: [String: ValueInfo] = [:]
        for (port, argument) in zip(graph.inputs, arguments) {
            inputs[port.name] = ValueInfo(argument?.elementType ?? port.info.elementType, nil)
            if let argument, argument.elementType != nil { inputs[port.name] = argument }
        }
        let values = try graph.inferValues(inputs: inputs)
        return graph.outputs.map { values[$0.name] ?? ValueInfo(nil, nil) }
    }
}

extension Graph {
    /// The graph whose nodes call their values by other names, in the same order; two values must not get one name.
    package func renamingNodeValues(_ rename: (String) -> String) -> Graph {
        var graph = self
        for index in nodes.indices {
            graph.nodes[index].inputs = nodes[index].inputs.map { $0.map(rename) }
            graph.nodes[index].outputs = nodes[index].outputs.map { $0.map(rename) }
        }
        return graph
    }
}
