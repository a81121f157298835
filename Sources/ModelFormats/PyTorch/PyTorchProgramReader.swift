import Tensors

/// Reads models/model.json.
struct PyTorchProgramReader {
    private typealias Reader = PyTorchArgumentReader

    private let archive: PyTorchArchive

    init(_ archive: PyTorchArchive) { self.archive = archive }

    func read() throws(ModelError) -> PyTorchProgram {
        let model = try archive.model()
        do {
            return try program(model)
        } catch {
            throw refusal(error.reason)
        }
    }

    private func program(_ model: JSON) throws(Reader.Refusal) -> PyTorchProgram {
        let version = model["schema_version"]?["major"]?.integer
        guard version == PyTorchLimits.schemaVersion else {
            throw Reader.Refusal(
                reason:
                    "export schema version \(version.map(String.init) ?? "(none)") is not supported, expected "
                    + "\(PyTorchLimits.schemaVersion)")
        }
        guard let graph = model["graph_module"]?["graph"], let nodes = graph["nodes"]?.array,
            let signature = model["graph_module"]?["signature"]
        else { throw Reader.Refusal(reason: "models/model.json holds no graph with a signature") }
        guard nodes.count <= PyTorchLimits.maximumNodeCount else {
            throw Reader.Refusal(
                reason: "\(nodes.count) nodes, at most \(PyTorchLimits.maximumNodeCount) are read")
        }
        let content = try PyTorchNodeReader.read(graph)
        let inputs = try inputs(signature)
        return PyTorchProgram(
            inputs: inputs, outputs: try outputs(signature, keys: PyTorchOutputKeys.read(model)),
            nodes: content.nodes, tensors: content.tensors, integers: content.integers,
            symbolNames: Self.symbolNames(inputs, content.tensors))
    }

    private func inputs(_ signature: JSON) throws(Reader.Refusal) -> [PyTorchProgram.Input] {
        guard let specs = signature["input_specs"]?.array else {
            throw Reader.Refusal(reason: "the signature has no inputs")
        }
        guard specs.count <= PyTorchLimits.maximumWeightCount + PyTorchLimits.maximumPortCount else {
            throw Reader.Refusal(reason: "\(specs.count) inputs and weights are too many")
        }
        var inputs: [PyTorchProgram.Input] = []
        for spec in specs {
            guard let (kind, value) = spec.object?.first, spec.object?.count == 1 else {
                throw Reader.Refusal(reason: "an input of the signature is no union")
            }
            switch kind {
            case "user_input":
                guard let argument = value["arg"],
                    case .tensor(let name) = try Reader.argument(argument)
                else { throw Reader.Refusal(reason: "an input of the model is no tensor") }
                inputs.append(PyTorchProgram.Input(name: name, source: .user))
            case "parameter", "buffer", "tensor_constant":
                let weight =
                    value["parameter_name"] ?? value["buffer_name"] ?? value["tensor_constant_name"]
                inputs.append(
                    PyTorchProgram.Input(
                        name: try Reader.name(value["arg"]?["name"]), source: .weight(try Reader.name(weight))
                    ))
            // A Python value that the export fixed: it stands in the nodes already.
            case "constant_input": continue
            default: throw Reader.Refusal(reason: "an input of kind \(kind) is not supported")
            }
        }
        return inputs
    }

    /// `keys` are those of the dictionary that the model returns, absent tensors among them; none for other results.
    private func outputs(
        _ signature: JSON, keys: [String]
    ) throws(Reader.Refusal) -> [PyTorchProgram.Output] {
        guard let specs = signature["output_specs"]?.array else {
            throw Reader.Refusal(reason: "the signature has no outputs")
        }
        guard specs.count <= PyTorchLimits.maximumPortCount else {
            throw Reader.Refusal(reason: "\(specs.count) outputs, at most \(PyTorchLimits.maximumPortCount)")
        }
        let isDictionary = keys.count == specs.count { $0["user_output"] != nil }
        var outputs: [PyTorchProgram.Output] = []
        var index = 0
        for spec in specs {
            guard let (kind, value) = spec.object?.first, spec.object?.count == 1 else {
                throw Reader.Refusal(reason: "an output of the signature is no union")
            }
            switch kind {
            case "user_output":
                guard let argument = value["arg"] else {
                    throw Reader.Refusal(reason: "an output of the model has no value")
                }
                index += 1
                switch try Reader.argument(argument) {
                case .tensor(let name):
                    let key = isDictionary ? keys[index - 1] : nil
                    outputs.append(PyTorchProgram.Output(name: name, key: key))
                case .absent: continue
                default: throw Reader.Refusal(reason: "an output of the model is no tensor")
                }
            // What becomes of the caller's own tensor is nobody's business here.
            case "user_input_mutation": continue
            case "buffer_mutation":
                let name = try Reader.name(value["buffer_name"])
                throw Reader.Refusal(
                    reason:
                        "the model changes its buffer '\(name)': call model.eval() before the export, a model "
                        + "that is served keeps no state")
            default: throw Reader.Refusal(reason: "an output of kind \(kind) is not supported")
            }
        }
        guard !outputs.isEmpty else { throw Reader.Refusal(reason: "the model has no outputs") }
        return outputs
    }

    /// The file has lost the names that the caller gave to dynamic extents; one at the front is the batch.
    private static func symbolNames(
        _ inputs: [PyTorchProgram.Input], _ tensors: [String: PyTorchTensorMeta]
    ) -> [String: String] {
        for input in inputs {
            guard case .user = input.source,
                case .symbol(let symbol)? = tensors[input.name]?.dimensions.first
            else { continue }
            return [symbol: "batch"]
        }
        return [:]
    }

    private func refusal(_ reason: String) -> ModelError { .file(path: archive.path, reason: reason) }
}
