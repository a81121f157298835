import Graph
import Tensors

/// Reads what lies in one graph of a model file, be it the model's or a subgraph: initializers, constants and nodes.
struct ONNXScopeReader {
    struct Contents {
        var initializers: [String: Tensor]
        /// The initializers and the values of Constant nodes.
        var constants: [String: Tensor]
        var nodes: [Node]
    }

    let path: String
    /// The version of the default operator set for nodes that state none of their own.
    var opset: Int
    let tensors: ONNXTensorReader
    let sparseTensors: ONNXSparseTensorReader

    func contents(of graph: ONNXGraphProto) throws(ModelError) -> Contents {
        let initializers = try initializers(of: graph)
        let (nodes, constants) = try nodes(of: graph, initializers)
        return Contents(initializers: initializers, constants: constants, nodes: nodes)
    }

    /// Throws unless the nodes stand in an order in which they can run, as ONNX wants it: a file that is not so may be
    /// damaged.
    static func checkOrder(_ nodes: [Node], _ graph: Graph) throws(GraphError) {
        if let (early, _) = zip(nodes, graph.nodes).first(where: { $0.name != $1.name }) {
            throw GraphError.input(early.type, reason: "comes before what it reads").at(early)
        }
    }

    private func initializers(of graph: ONNXGraphProto) throws(ModelError) -> [String: Tensor] {
        var tensors: [String: Tensor] = [:]
        for (index, initializer) in graph.initializer.enumerated() {
            guard !initializer.name.isEmpty else {
                throw .file(path: path, reason: "initializer \(index) has no name")
            }
            let tensor = try self.tensors.read(initializer, name: initializer.name)
            guard tensors.updateValue(tensor, forKey: initializer.name) == nil else {
                throw .graph(path: path, .duplicateValue(name: initializer.name))
            }
        }
        for (index, initializer) in graph.sparseInitializer.enumerated() {
            let name = initializer.values.name
            guard !name.isEmpty else {
                throw .file(path: path, reason: "sparse initializer \(index) has no name")
            }
            let tensor = try sparseTensors.read(initializer, name: name)
            guard tensors.updateValue(tensor, forKey: name) == nil else {
                throw .graph(path: path, .duplicateValue(name: name))
            }
        }
        return tensors
    }

    private func nodes(
        of graph: ONNXGraphProto, _ initializers: [String: Tensor]
    ) throws(ModelError) -> (nodes: [Node], constants: [String: Tensor]) {
        let reader = ONNXNodeReader(scope: self)
        var constants = initializers
        var nodes: [Node] = []
        var names = UniqueNames(stated: graph.node.lazy.map(\.name))
        for proto in graph.node {
            guard ONNXNodeReader.isConstant(proto) else {
                let name =
                    proto.name.isEmpty
                    ? names.next(stem: ONNXNodeReader.displayName(proto)) : names.next(stated: proto.name)
                nodes.append(try reader.read(proto, name: name))
                continue
            }
            let tensor = try reader.constant(proto)
            guard proto.output.count == 1, let name = proto.output.first, !name.isEmpty else {
                throw .file(
                    path: path,
                    reason: "a Constant node has \(proto.output.count) outputs, expected 1 with a name")
            }
            guard constants.updateValue(tensor, forKey: name) == nil else {
                throw .graph(path: path, .duplicateValue(name: name))
            }
        }
        return (nodes, constants)
    }
}
