import Graph
import Tensors

/// Makes a graph of ONNX operators of an exported program.
///
/// What no output depends on is left out. Operators that are not in `PyTorchOperatorCatalog` are refused by name, all of
/// a model's in one error. At the end every value must have the shape that the file states of it: a mapping that were
/// wrong, or a file that lies, is found before the first request.
struct PyTorchGraphReader {
    private let archive: PyTorchArchive
    private let program: PyTorchProgram
    private let catalog = PyTorchOperatorCatalog.standard

    init(archive: PyTorchArchive, program: PyTorchProgram) {
        self.archive = archive
        self.program = program
    }

    private var path: String { archive.path }

    func read() throws(ModelError) -> Graph {
        let nodes = neededNodes()
        try refuseUnknown(nodes)
        let builder = PyTorchGraphBuilder(program: program, weights: try PyTorchWeights(archive))
        var ports: [Graph.Port] = []
        for input in program.inputs {
            if case .weight(let weight) = input.source {
                builder.define(input.name, weight: weight)
                continue
            }
            guard let meta = program.tensors[input.name] else {
                throw .file(path: path, reason: "nothing is stated of the input '\(input.name)'")
            }
            builder.define(input.name, as: input.name)
            ports.append(
                Graph.Port(
                    name: input.name,
                    info: ValueInfo(meta.elementType, meta.dimensions.map(builder.dimension))))
        }
        var aliases = PyTorchAliases(nodes: nodes, outputs: program.outputs.map(\.name), catalog: catalog)
        for (index, node) in nodes.enumerated() {
            do {
                let slices = try aliases.check(node, at: index)
                try map(node, puttingBack: slices, builder)
            } catch {
                throw .graph(path: path, .node(node.displayName, operatorType: node.target, error))
            }
        }
        return try finished(builder, inputs: ports)
    }

    // MARK: - Nodes

    /// The nodes that outputs depend on, and those that write into their input.
    private func neededNodes() -> [PyTorchNode] {
        var needed = Set(program.outputs.map(\.name))
        var kept: [PyTorchNode] = []
        for node in program.nodes.reversed() {
            let isRead = node.outputs.contains { $0.map(needed.contains) ?? false }
            guard isRead || catalog.isInPlace(node.target) else { continue }
            kept.append(node)
            for argument in node.arguments.values { needed.formUnion(argument.names) }
        }
        return kept.reversed()
    }

    private func refuseUnknown(_ nodes: [PyTorchNode]) throws(ModelError) {
        var seen: Set<String> = []
        let unknown = nodes.filter { catalog[$0.target] == nil && seen.insert($0.target).inserted }
        guard !unknown.isEmpty else { return }
        let names = unknown.prefix(PyTorchLimits.maximumNamedOperatorCount).map { node in
            "\(node.target) (\(node.displayName))"
        }
        throw .graph(path: path, .unsupportedOperators(names))
    }

    private func map(
        _ node: PyTorchNode, puttingBack slices: [PyTorchNode], _ builder: PyTorchGraphBuilder
    ) throws(GraphError) {
        guard let operation = catalog[node.target] else { throw .unsupportedOperators([node.target]) }
        let call = PyTorchCall(node: node, builder: builder)
        let values = try operation.map(call)
        for case (let name?, let value) in zip(node.outputs, values) { builder.define(name, as: value) }
        // From here on the input's name stands for what was written into it.
        guard catalog.isInPlace(node.target), var value = values.first, let target = call.writtenTensor
        else { return }
        builder.define(target, as: value)
        for slice in slices {
            let call = PyTorchCall(node: slice, builder: builder)
            value = try PyTorchWrites.putBack(value, into: call)
            builder.define(try call.tensorName("self"), as: value)
        }
    }

    // MARK: - The graph

    private func finished(
        _ builder: PyTorchGraphBuilder, inputs: [Graph.Port]
    ) throws(ModelError) -> Graph {
        do {
            var outputs: [Graph.Port] = []
            for name in program.outputs.map(\.name) {
                let meta = program.tensors[name]
                outputs.append(
                    Graph.Port(
                        name: try builder.output(
                            name, inputs: inputs.map(\.name), taken: outputs.map(\.name)),
                        info: ValueInfo(meta?.elementType, meta?.dimensions.map(builder.dimension))))
            }
            let graph = try Graph(
                name: "main", opset: PyTorchGraphBuilder.opset, inputs: inputs, outputs: outputs,
                constants: builder.constants, nodes: builder.nodes
            ).removingUnused()
            try check(graph, builder)
            return try named(graph)
        } catch {
            throw .graph(path: path, error)
        }
    }

    /// The graph with its outputs called as in the dictionary that the model returns; inputs keep their names.
    private func named(_ graph: Graph) throws(GraphError) -> Graph {
        var names: [String: String] = [:]
        var taken = Set(graph.inputs.map(\.name))
        for (port, output) in zip(graph.outputs, program.outputs) {
            guard let key = output.key, taken.insert(key).inserted else { continue }
            names[port.name] = key
        }
        guard !names.isEmpty else { return graph }
        // Whatever else has such a name gets another one.
        var values = Set(graph.constants.keys)
        for node in graph.nodes { values.formUnion(node.outputs.compactMap { $0 }) }
        var unique = UniqueNames(stated: taken.union(values))
        for key in names.values.sorted() where values.contains(key) && names[key] == nil {
            names[key] = unique.next(stem: key)
        }
        func renamed(_ name: String) -> String { names[name] ?? name }
        let nodes = graph.nodes.map { node in
            var node = node
            node.inputs = node.inputs.map { $0.map(renamed) }
            node.outputs = node.outputs.map { $0.map(renamed) }
            return node
        }
        return try Graph(
            name: graph.name, opset: graph.opset, inputs: graph.inputs,
            outputs: graph.outputs.map { Graph.Port(name: renamed($0.name), info: $0.info) },
            constants: Dictionary(uniqueKeysWithValues: graph.constants.map { (renamed($0.key), $0.value) }),
            nodes: nodes)
    }

    /// Throws unless the nodes compute what the file states of their values.
    private func check(_ graph: Graph, _ builder: PyTorchGraphBuilder) throws(GraphError) {
        let values = try graph.inferValues()
        for node in graph.nodes {
            for case let name? in node.outputs {
                guard let actual = values[name], let declared = program.tensors[name] else { continue }
                let dimensions = declared.dimensions.map(builder.dimension)
                let agrees = actual.dimensions.map { actual in
                    actual.count == dimensions.count
                        && zip(actual, dimensions).allSatisfy {
                            $0.value == nil || $1.value == nil || $0.value == $1.value
                        }
                }
                guard agrees ?? true, actual.elementType.map({ $0 == declared.elementType }) ?? true else {
                    throw GraphError.input(
                        node.type,
                        reason: "computes \(actual), the file states "
                            + "\(ValueInfo(declared.elementType, dimensions))"
                    ).at(node)
                }
            }
        }
    }
}
