import Graph
import Tensors

/// Makes a graph of a model file's structure.
///
/// Constant nodes become constants. Training information, documentation, metadata and value hints have no bearing on
/// inference and are not read. A call of a function that the model defines, a node of a foreign domain and an operator
/// that runs subgraphs are refused by name, all of a model's in one error.
struct ONNXGraphReader {
    let path: String
    let tensors: ONNXTensorReader

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
        try checkOperators(model)
        if let sparse = model.graph.sparseInitializer.first {
            throw .tensor(path: path, name: sparse.values.name, reason: "is sparse, which is not supported")
        }
        let initializers = try initializers(of: model.graph)
        let reader = ONNXNodeReader(path: path, opset: opset, tensors: tensors)
        let (nodes, constants) = try nodes(of: model.graph, reader, initializers)
        let (inputs, overridable) = try inputs(of: model, initializers, constants)
        return try graph(
            name: model.graph.name, opset: opset, inputs: inputs, outputs: outputs(of: model.graph),
            constants: constants, overridableInputs: overridable, nodes: nodes)
    }

    private func graph(
        name: String, opset: Int, inputs: [Graph.Port], outputs: [Graph.Port], constants: [String: Tensor],
        overridableInputs: Set<String>, nodes: [Node]
    ) throws(ModelError) -> Graph {
        do throws(GraphError) {
            let graph = try Graph(
                name: name, opset: opset, inputs: inputs, outputs: outputs, constants: constants,
                overridableInputs: overridableInputs, nodes: nodes)
            // ONNX wants the nodes in an order in which they can run; a file that is not so may be damaged.
            if let (early, _) = zip(nodes, graph.nodes).first(where: { $0.name != $1.name }) {
                throw GraphError.input(early.type, reason: "comes before what it reads").at(early)
            }
            // A model whose shapes cannot work is refused now and not at its first request.
            _ = try graph.inferValues()
            return graph
        } catch {
            throw .graph(path: path, error)
        }
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

    /// Throws one error for all operators that are missing.
    private func checkOperators(_ model: ONNXModelProto) throws(ModelError) {
        let functions = Set(model.functions.map { Self.qualifiedName($0.domain, $0.name) })
        var missing: Set<String> = []
        for node in model.graph.node {
            let name = Self.qualifiedName(node.domain, node.opType)
            // Graph's own operators are not for files: only ONNX's domain is.
            let isKnown =
                ONNXNodeReader.isConstant(node)
                || ONNXNodeReader.isDefaultDomain(node.domain) && node.opType != Affine.type
                    && OperatorCatalog.standard.contains(domain: "", type: node.opType)
            if !isKnown || functions.contains(name) { missing.insert(name.isEmpty ? "(unnamed)" : name) }
        }
        guard missing.isEmpty else {
            throw .graph(path: path, .unsupportedOperators(missing.sorted()))
        }
    }

    private static func qualifiedName(_ domain: String, _ type: String) -> String {
        ONNXNodeReader.isDefaultDomain(domain) ? type : domain + "." + type
    }

    // MARK: - Values

    private func initializers(of graph: ONNXGraphProto) throws(ModelError) -> [String: Tensor] {
        var tensors: [String: Tensor] = [:]
        for (index, initializer) in graph.initializer.enumerated() {
            guard !initializer.name.isEmpty else { throw refusal("initializer \(index) has no name") }
            let tensor = try self.tensors.read(initializer, name: initializer.name)
            guard tensors.updateValue(tensor, forKey: initializer.name) == nil else {
                throw .graph(path: path, .duplicateValue(name: initializer.name))
            }
        }
        return tensors
    }

    /// The nodes, and the initializers together with the values of Constant nodes.
    private func nodes(
        of graph: ONNXGraphProto, _ reader: ONNXNodeReader, _ initializers: [String: Tensor]
    ) throws(ModelError) -> (nodes: [Node], constants: [String: Tensor]) {
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
                throw refusal("a Constant node has \(proto.output.count) outputs, expected 1 with a name")
            }
            guard constants.updateValue(tensor, forKey: name) == nil else {
                throw .graph(path: path, .duplicateValue(name: name))
            }
        }
        return (nodes, constants)
    }

    /// The inputs that a caller must give, and those that have an initializer as default.
    private func inputs(
        of model: ONNXModelProto, _ initializers: [String: Tensor], _ constants: [String: Tensor]
    ) throws(ModelError) -> (inputs: [Graph.Port], overridable: Set<String>) {
        var inputs: [Graph.Port] = []
        var overridable: Set<String> = []
        for input in model.graph.input {
            if let initializer = initializers[input.name] {
                guard model.irVersion >= Self.overridableInitializersVersion else { continue }
                let declared = try port(input, "input").info
                guard declared.elementType == initializer.elementType else {
                    throw .tensor(
                        path: path, name: input.name,
                        reason: "is \(initializer.elementType), as a graph input it is declared \(declared)")
                }
                overridable.insert(input.name)
            } else if constants[input.name] != nil {
                throw .graph(path: path, .duplicateValue(name: input.name))
            } else {
                inputs.append(try port(input, "input"))
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
            outputs.append(try port(output, "output"))
        }
        guard !outputs.isEmpty else { throw refusal("the graph has no outputs") }
        return outputs
    }

    private func port(_ proto: ONNXValueInfoProto, _ role: String) throws(ModelError) -> Graph.Port {
        guard !proto.name.isEmpty else { throw refusal("a graph \(role) has no name") }
        let what = "graph \(role) '\(proto.name)'"
        // Only an output's type follows from the nodes.
        guard proto.hasType || role == "input" else {
            return Graph.Port(name: proto.name, info: ValueInfo(nil, nil))
        }
        guard proto.type.hasTensorType else { throw refusal("\(what) is not declared as a tensor") }
        let tensor = proto.type.tensorType
        let type = ONNXElementType.type(tensor.elemType)
        guard type != nil || tensor.elemType == 0 && role == "output" else {
            throw refusal("\(what): element type \(ONNXElementType.name(tensor.elemType)) is not supported")
        }
        guard tensor.hasShape else { return Graph.Port(name: proto.name, info: ValueInfo(type, nil)) }
        return Graph.Port(name: proto.name, info: ValueInfo(type, try dimensions(tensor.shape, what)))
    }

    private func dimensions(_ shape: ONNXTensorShapeProto, _ what: String) throws(ModelError) -> [Dimension] {
        let dimensions: [Dimension] = shape.dim.map { dimension in
            switch dimension.value {
            case .dimValue(-1), .dimParam(""), nil: .unknown
            case .dimValue(let value): .known(Int(value))
            case .dimParam(let name): .symbol(name)
            }
        }
        do {
            _ = try Shape(dimensions.compactMap(\.value))
        } catch {
            throw refusal("\(what): \(error)")
        }
        return dimensions
    }

    private func refusal(_ reason: String) -> ModelError { .file(path: path, reason: reason) }
}
