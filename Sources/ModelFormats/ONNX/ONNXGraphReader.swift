import Graph
import Tensors

/// Makes a graph of a model file's structure.
///
/// Constant nodes become constants. Training information, documentation, metadata and value hints have no bearing on
/// inference and are not read. Functions are expanded. Operators that foldserve does not have are refused by name, all
/// of a model's in one error.
struct ONNXGraphReader {
    let path: String
    let tensors: ONNXTensorReader
    /// Whether Graph's own operators are read too, which are not for files of others.
    let readsOwnOperators: Bool

    /// From this IR version on, an initializer that is listed among the inputs is only their default value.
    private static let overridableInitializersVersion: Int64 = 4

    func read(_ model: ONNXModelProto) throws(ModelError) -> Graph {
        guard model.hasGraph else { throw refusal("not a readable ONNX model: it holds no graph") }
        let versions = ONNXLimits.irVersions
        guard versions.contains(model.irVersion) else {
            throw refusal(
                "IR version \(model.irVersion) is not supported, expected "
                    + "\(versions.lowerBound) to \(versions.upperBound)")
        }
        let opset = try operatorSetVersion(model)
        let proto = try ONNXFunctionExpander.expand(model, path: path)
        let missing = ONNXOperatorCheck.missing(in: proto, readsOwnOperators: readsOwnOperators)
        guard missing.isEmpty else { throw .graph(path: path, .unsupportedOperators(missing)) }
        let scope = ONNXScopeReader(
            path: path, opset: opset, tensors: tensors,
            sparseTensors: ONNXSparseTensorReader(path: path, tensors: tensors))
        let contents = try scope.contents(of: proto)
        let (inputs, overridable) = try inputs(of: model, contents)
        return try graph(
            name: proto.name, opset: opset, inputs: inputs, outputs: outputs(of: proto),
            constants: contents.constants, overridableInputs: overridable, nodes: contents.nodes)
    }

    private var ports: ONNXPortReader { ONNXPortReader(path: path) }

    private func graph(
        name: String, opset: Int, inputs: [Graph.Port], outputs: [Graph.Port], constants: [String: Tensor],
        overridableInputs: Set<String>, nodes: [Node]
    ) throws(ModelError) -> Graph {
        do throws(GraphError) {
            let graph = try Graph(
                name: name, opset: opset, inputs: inputs, outputs: outputs, constants: constants,
                overridableInputs: overridableInputs, nodes: nodes)
            try ONNXScopeReader.checkOrder(nodes, graph)
            // A model whose shapes cannot work is refused now and not at its first request.
            let values = try graph.inferValues()
            var result = graph
            for (index, port) in graph.outputs.enumerated() {
                guard let inferred = values[port.name] else { continue }
                result.outputs[index].info = try Self.corrected(port, inferred)
            }
            return result
        } catch {
            throw .graph(path: path, error)
        }
    }

    /// What is declared of an output where nothing better is known: exporters write shapes that the nodes contradict, and
    /// the nodes decide.
    private static func corrected(
        _ port: Graph.Port, _ inferred: ValueInfo
    ) throws(GraphError) -> ValueInfo {
        if let declared = port.info.elementType, let actual = inferred.elementType, declared != actual {
            throw .input(
                "graph output '\(port.name)'", reason: "is declared \(declared), the nodes compute \(actual)")
        }
        guard let declared = port.info.dimensions, let actual = inferred.dimensions else { return port.info }
        guard declared.count == actual.count else { return ValueInfo(port.info.elementType, actual) }
        let dimensions = zip(declared, actual).map { declared, actual in
            declared.value == nil || actual == .unknown ? declared : actual
        }
        return ValueInfo(port.info.elementType, dimensions)
    }

    // MARK: - Operators

    private func operatorSetVersion(_ model: ONNXModelProto) throws(ModelError) -> Int {
        let versions = Set(
            model.opsetImport.filter { ONNXNodeReader.isDefaultDomain($0.domain) }.map(\.version))
        guard let version = versions.first else {
            throw refusal("imports no version of ONNX's default operator set")
        }
        guard versions.count == 1 else {
            throw refusal(
                "imports versions \(versions.sorted().map(String.init).joined(separator: ", ")) of ONNX's default "
                    + "operator set, expected one")
        }
        let supported = ONNXLimits.opsets
        guard supported.contains(version) else {
            throw refusal(
                "operator set version \(version) is not supported, expected "
                    + "\(supported.lowerBound) to \(supported.upperBound)")
        }
        return Int(version)
    }

    // MARK: - Values

    /// The inputs that a caller must give, and those that have an initializer as default.
    private func inputs(
        of model: ONNXModelProto, _ contents: ONNXScopeReader.Contents
    ) throws(ModelError) -> (inputs: [Graph.Port], overridable: Set<String>) {
        var inputs: [Graph.Port] = []
        var overridable: Set<String> = []
        for input in model.graph.input {
            if let initializer = contents.initializers[input.name] {
                guard model.irVersion >= Self.overridableInitializersVersion else { continue }
                let declared = try ports.port(input, .input).info
                guard declared.elementType == initializer.elementType else {
                    throw .tensor(
                        path: path, name: input.name,
                        reason: "is \(initializer.elementType), as a graph input it is declared \(declared)")
                }
                overridable.insert(input.name)
            } else if contents.constants[input.name] != nil {
                throw .graph(path: path, .duplicateValue(name: input.name))
            } else {
                inputs.append(try ports.port(input, .input))
            }
        }
        guard inputs.count <= ONNXLimits.maximumPortCount else {
            throw .graph(
                path: path,
                .limit("graph inputs", maximum: ONNXLimits.maximumPortCount, actual: inputs.count))
        }
        return (inputs, overridable)
    }

    private func outputs(of graph: ONNXGraphProto) throws(ModelError) -> [Graph.Port] {
        var names: Set<String> = []
        var outputs: [Graph.Port] = []
        for output in graph.output {
            guard names.insert(output.name).inserted else {
                throw refusal("graph output '\(output.name)' is listed twice")
            }
            outputs.append(try ports.port(output, .output))
        }
        guard !outputs.isEmpty else { throw refusal("the graph has no outputs") }
        return outputs
    }

    private func refusal(_ reason: String) -> ModelError { .file(path: path, reason: reason) }
}
