import Graph
import Tensors

/// Puts ONNX's own operators in the place of Graph's `Affine`.
struct ONNXAffineLowering {
    struct Result {
        var nodes: [Node]
        var constants: [String: Tensor]
    }

    /// For errors.
    let path: String

    /// The nodes of `graph` in their order, and its constants with those that the new nodes need.
    ///
    /// Throws when the rank or the element type of an affine's input is not known.
    func lower(_ graph: Graph) throws(ModelError) -> Result {
        var result = Result(nodes: [], constants: graph.constants)
        guard graph.nodes.contains(where: { $0.operation is Affine }) else {
            result.nodes = graph.nodes
            return result
        }
        let values: [String: ValueInfo]
        do {
            values = try graph.inferValues()
        } catch {
            throw .graph(path: path, error)
        }
        var valueNames = UniqueNames(stated: Self.valueNames(graph))
        var nodeNames = UniqueNames(stated: graph.nodes.flatMap { [$0.name] + $0.sources.map(\.name) })
        for node in graph.nodes {
            guard let affine = node.operation as? Affine else {
                result.nodes.append(node)
                continue
            }
            if Self.standsForSources(node, graph) {
                result.nodes += node.sources
                continue
            }
            do {
                try append(
                    affine, node, input: node.input(0).flatMap { values[$0] }, opset: graph.opset,
                    to: &result,
                    &valueNames, &nodeNames)
            } catch {
                throw .graph(path: path, error.at(node))
            }
        }
        return result
    }

    /// y = x·scale + shift as Mul and Add, with constants of shape [C, 1, 1, …].
    private func append(
        _ affine: Affine, _ node: Node, input: ValueInfo?, opset: Int, to result: inout Result,
        _ valueNames: inout UniqueNames, _ nodeNames: inout UniqueNames
    ) throws(GraphError) {
        guard let rank = input?.rank, let type = input?.elementType else {
            throw .input(Affine.type, reason: "the rank and element type of the input are not known")
        }
        let shape: Shape
        do {
            shape = try Shape(
                [affine.scale.count] + [Int](repeating: 1, count: max(0, rank - affine.axis - 1)))
        } catch {
            throw .tensor(error)
        }
        let product = valueNames.next(stem: node.name + "_product")
        var value = node.inputs[0]
        for (operation, elements, output) in [
            ("Mul", affine.scale, product), ("Add", affine.shift, node.outputs[0]),
        ] {
            let stem = "\(node.name)_\(operation)"
            let constant = valueNames.next(stem: stem + "_constant")
            result.constants[constant] =
                ExactTensor(reals: elements, shape: shape, elementType: type).tensor
            result.nodes.append(
                try Node(
                    name: nodeNames.next(stem: stem), type: operation, opset: opset,
                    inputs: [value, constant], outputs: [output]))
            value = product
        }
    }

    /// Whether the sources read and define what the affine does, and everything else that they read is there.
    private static func standsForSources(_ node: Node, _ graph: Graph) -> Bool {
        guard !node.sources.isEmpty else { return false }
        var defined: Set<String> = []
        for source in node.sources {
            for case let name? in source.inputs
            where !defined.contains(name) && name != node.inputs[0] && graph.constants[name] == nil {
                return false
            }
            defined.formUnion(source.outputs.compactMap { $0 })
        }
        return node.outputs.allSatisfy { $0.map(defined.contains) ?? true }
    }

    private static func valueNames(_ graph: Graph) -> Set<String> {
        var names = Set(graph.constants.keys).union(graph.inputs.map(\.name))
        for node in graph.nodes {
            for node in [node] + node.sources {
                names.formUnion(node.inputs.compactMap { $0 })
                names.formUnion(node.outputs.compactMap { $0 })
            }
        }
        return names
    }
}
