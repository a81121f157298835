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
        var tensors: [String: PyTorchTensorMeta] = [:]
        for (name, description) in graph["tensor_values"]?.object ?? [:] {
            tensors[name] = try Reader.meta(description)
        }
        var integers: [String: Int] = [:]
        for (name, value) in graph["sym_int_values"]?.object ?? [:] {
            integers[name] = try Reader.dimension(value).value
        }
        let inputs = try inputs(signature)
        return PyTorchProgram(
            inputs: inputs, outputs: try outputs(signature, keys: PyTorchOutputKeys.read(model)),
            nodes: try nodes.map(node), tensors: tensors, integers: integers,
            symbolNames: Self.symbolNames(inputs, tensors))
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

    // MARK: - Nodes

    private func node(_ json: JSON) throws(Reader.Refusal) -> PyTorchNode {
        let target = try Reader.name(json["target"])
        let prefix = "torch.ops."
        var arguments: [String: PyTorchArgument] = [:]
        for (index, input) in (json["inputs"]?.array ?? []).enumerated() {
            guard let argument = input["arg"] else {
                throw Reader.Refusal(reason: "an argument of \(target) has no value")
            }
            // Python's own operators have arguments without names.
            let name = try input["name"].map(Reader.name) ?? ""
            let key = name.isEmpty || arguments[name] != nil ? "\(index)" : name
            arguments[key] = try Reader.argument(argument)
        }
        var outputs: [String?] = []
        for output in json["outputs"]?.array ?? [] {
            switch try Reader.argument(output) {
            case .tensor(let name), .integer(.value(let name)): outputs.append(name)
            case .tensors(let names): outputs += names
            default: outputs.append(nil)
            }
        }
        let name = try json["name"].map(Reader.name) ?? outputs.lazy.compactMap { $0 }.first ?? target
        return PyTorchNode(
            target: target.hasPrefix(prefix) ? String(target.dropFirst(prefix.count)) : target,
            name: name, module: Self.module(json["metadata"]?["nn_module_stack"]?.string),
            arguments: arguments, outputs: outputs)
    }

    /// `L__self__,,Net;L__self___c,c,torch.nn.modules.conv.Conv2d`: the innermost module's path.
    private static func module(_ stack: String?) -> String {
        guard let innermost = stack?.split(separator: ";").last else { return "" }
        let parts = innermost.split(separator: ",", omittingEmptySubsequences: false)
        guard parts.count == 3, parts[1].utf8.count <= PyTorchLimits.maximumNameByteCount,
            !parts[1].hasPrefix("_empty_nn_module_stack")
        else { return "" }
        return String(parts[1])
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
