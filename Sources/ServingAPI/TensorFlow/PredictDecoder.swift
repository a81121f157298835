import ModelServing
import Tensors

/// Reads the body of a TF Serving prediction: `instances`, item by item, or `inputs`, tensor by tensor.
///
/// Element types and ranks are the model's; extents are what the lists turn out to be. Source: TF Serving, RESTful API.
struct PredictDecoder {
    /// A call and the form of its answer.
    struct Prediction {
        let call: InferCall
        /// In the row format: how many items were sent.
        let instanceCount: Int?
    }

    static let signature = "serving_default"
    static let base64Key = "b64"

    private var assembly: InferAssembly
    private var instanceCount: Int?

    static func decode(
        _ body: [UInt8], model: LoadedModel, limits: APILimits
    ) throws(RequestError) -> Prediction {
        var decoder = PredictDecoder(assembly: InferAssembly(model: model, limits: limits))
        var reader = JSONReader(body, byteCount: body.count, limits: limits)
        try decoder.read(&reader)
        return Prediction(call: try decoder.assembly.call(), instanceCount: decoder.instanceCount)
    }

    private init(assembly: InferAssembly) { self.assembly = assembly }

    private mutating func read(_ reader: inout JSONReader) throws(RequestError) {
        var seen = SeenKeys(owner: "the request")
        try reader.object { (reader, key) throws(RequestError) in
            switch key {
            case "signature_name":
                try seen.note(key)
                guard try !reader.skipNull() else { return }
                let name = try reader.string()
                guard name.isEmpty || name == Self.signature else {
                    throw .value(
                        key: key, of: "the request", expected: "'\(Self.signature)', there is no '\(name)'")
                }
            case "instances", "inputs":
                try seen.note(key)
                guard !seen.contains(key == "inputs" ? "instances" : "inputs") else {
                    throw .value(key: key, of: "the request", expected: "absent, or the other one")
                }
                if key == "inputs" { try readInputs(&reader) } else { try readInstances(&reader) }
            default: try reader.skipValue()
            }
        }
        try reader.finish()
        guard seen.contains("inputs") || seen.contains("instances") else {
            throw .missingKey("instances' or 'inputs", of: "the request")
        }
    }

    /// A tensor by itself, or an object with a tensor for each input.
    private mutating func readInputs(_ reader: inout JSONReader) throws(RequestError) {
        guard reader.peek() == UInt8(ascii: "{"), !Self.isBase64(&reader) else {
            var tensor = try tensor(of: try onlyInput("inputs"))
            try Self.read(&reader, &tensor, axis: 0, path: "inputs")
            return try add(tensor, leading: nil)
        }
        try reader.object { (reader, name) throws(RequestError) in
            guard assembly.inputs[name] == nil else {
                throw .serving(.repeatedInput(model: assembly.model, input: name))
            }
            var tensor = try tensor(of: try input(name))
            try Self.read(&reader, &tensor, axis: 0, path: "inputs.\(name)")
            try add(tensor, leading: nil)
        }
    }

    /// A list of items by themselves, or of objects with an item for each input.
    private mutating func readInstances(_ reader: inout JSONReader) throws(RequestError) {
        guard reader.peek() == UInt8(ascii: "[") else {
            throw reader.mismatch(expected: "a list")
        }
        var first = reader
        first.position += 1
        guard first.peek() == UInt8(ascii: "{"), !Self.isBase64(&first) else {
            let port = try onlyInput("instances")
            guard !port.dimensions.isEmpty else { throw Self.noBatch(port.name) }
            var tensor = try tensor(of: port)
            try Self.read(&reader, &tensor, axis: 0, path: "instances")
            instanceCount = tensor.shape(leading: nil).first
            return try add(tensor, leading: nil)
        }
        try readNamedInstances(&reader)
    }

    private mutating func readNamedInstances(_ reader: inout JSONReader) throws(RequestError) {
        var count = 0
        // In the order in which the first item has them.
        var tensors: [any NestedTensor] = []
        try reader.array { (reader) throws(RequestError) in
            guard reader.peek() == UInt8(ascii: "{") else {
                throw reader.mismatch(expected: "an object")
            }
            var seen = SeenKeys(owner: "instances[\(count)]")
            var nameCount = 0
            try reader.object { (reader, name) throws(RequestError) in
                try seen.note(name)
                nameCount += 1
                var place = tensors.firstIndex { $0.port.name == name }
                if place == nil {
                    let port = try input(name)
                    guard count == 0 else {
                        throw .mismatch(
                            path: "instances[\(count)]", expected: "the keys of instances[0]",
                            actual: "'\(name)' too")
                    }
                    guard !port.dimensions.isEmpty else { throw Self.noBatch(name) }
                    place = tensors.count
                    tensors.append(try tensor(of: port))
                }
                guard let place else { preconditionFailure("'\(name)' was just added") }
                try Self.read(&reader, &tensors[place], axis: 1, path: "instances[\(count)].\(name)")
            }
            guard nameCount == tensors.count else {
                let missing = tensors.first { !seen.contains($0.port.name) }?.port.name ?? ""
                throw .mismatch(
                    path: "instances[\(count)]", expected: "the keys of instances[0]",
                    actual: "no '\(missing)'")
            }
            count += 1
        }
        instanceCount = count
        for tensor in tensors { try add(tensor, leading: count) }
    }

    private mutating func add(_ tensor: any NestedTensor, leading: Int?) throws(RequestError) {
        let port = tensor.port
        let (_, shape) = try assembly.checked(
            port.name, datatype: port.elementType.datatype, shape: tensor.shape(leading: leading))
        assembly.inputs[port.name] = tensor.tensor(shape: shape)
    }

    private func input(_ name: String) throws(RequestError) -> ModelInterface.Port {
        guard let port = assembly.interface.input(name) else {
            throw .serving(.unexpectedInput(model: assembly.model, input: name))
        }
        return port
    }

    /// The input that a tensor without a name is for.
    private func onlyInput(_ key: String) throws(RequestError) -> ModelInterface.Port {
        let required = assembly.interface.inputs.filter { !$0.isOptional }
        guard let port = required.first, required.count == 1 else {
            let names = required.map { "'\($0.name)'" }.joined(separator: ", ")
            throw .value(
                key: key, of: "the request",
                expected: key == "inputs"
                    ? "an object with \(names)" : "a list of objects with \(names)")
        }
        return port
    }

    private func tensor(of port: ModelInterface.Port) throws(RequestError) -> any NestedTensor {
        guard let tensor = NestedTensors.make(port) else {
            throw .input(
                port.name,
                reason: "JSON cannot carry data-type \(port.elementType.datatype); send binary data to "
                    + "/v2/models/\(assembly.model)/infer")
        }
        return tensor
    }

    private static func noBatch(_ name: String) -> RequestError {
        .input(name, reason: "has no axis for the items of 'instances'; send 'inputs'")
    }

    private static func isBase64(_ reader: inout JSONReader) -> Bool {
        let position = reader.position
        defer { reader.position = position }
        return reader.numbers { scanner in Base64Object.begins(scanner) }
    }

    private static func read(
        _ reader: inout JSONReader, _ tensor: inout any NestedTensor, axis: Int, path: String
    ) throws(RequestError) {
        _ = reader.peek()
        do {
            try reader.numbers { (scanner) throws(NestedMismatch) in
                try tensor.read(&scanner, axis: axis)
            }
        } catch {
            throw .mismatch(path: path + error.path, expected: error.expected, actual: error.actual)
        }
    }
}
