import Graph
import Tensors

/// A graph inside a graph, as far as it can be read before the captures of the node's other graphs are known.
struct ONNXNestedGraph {
    private let name: String
    private let opset: Int
    private let results: [Graph.Port]
    private let contents: ONNXScopeReader.Contents
    /// What the operator passes to it.
    let parameters: [Graph.Port]
    /// The values that it reads from the graphs around it, in the order in which it does.
    let captures: [String]

    init(_ proto: ONNXGraphProto, _ scope: ONNXScopeReader) throws(ModelError) {
        name = proto.name
        opset = scope.opset
        contents = try scope.contents(of: proto)
        let ports = ONNXPortReader(path: scope.path)
        var parameters: [Graph.Port] = []
        // Early IR versions list initializers among the inputs.
        for input in proto.input where contents.initializers[input.name] == nil {
            parameters.append(try ports.port(input, .parameter))
        }
        var results: [Graph.Port] = []
        for output in proto.output { results.append(try ports.port(output, .result)) }
        self.parameters = parameters
        self.results = results

        var known = Set(contents.constants.keys).union(parameters.map(\.name))
        for node in contents.nodes { known.formUnion(node.outputs.compactMap { $0 }) }
        var captures: [String] = []
        for node in contents.nodes {
            for case let name? in node.inputs where known.insert(name).inserted { captures.append(name) }
        }
        for port in results where known.insert(port.name).inserted { captures.append(port.name) }
        self.captures = captures
    }

    /// The graph with these captures, of which it may need some.
    func subgraph(captures: [String]) throws(GraphError) -> Subgraph {
        var own = Set(contents.constants.keys).union(parameters.map(\.name))
        for node in contents.nodes { own.formUnion(node.outputs.compactMap { $0 }) }
        var names = UniqueNames(stated: own.union(captures))
        // Another graph of the node may capture a name that this one defines for itself.
        let inner = captures.map { own.contains($0) ? names.next(stem: $0) : $0 }
        let graph = try Graph(
            name: name, opset: opset,
            inputs: parameters + inner.map { Graph.Port(name: $0, info: ValueInfo(nil, nil)) },
            outputs: results, constants: contents.constants, nodes: contents.nodes)
        try ONNXScopeReader.checkOrder(contents.nodes, graph)
        return try Subgraph(graph, captures: inner)
    }
}
