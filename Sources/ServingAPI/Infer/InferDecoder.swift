import ModelServing
import Tensors

/// Reads the body of an inference request: JSON, and the raw tensors that may follow it.
///
/// Source: Open Inference Protocol, binary tensor data extension.
struct InferDecoder {
    private let body: [UInt8]
    private var assembly: InferAssembly
    /// Inputs whose bytes follow the JSON, in its order.
    private var binaryInputs: [(port: ModelInterface.Port, shape: Shape, byteCount: Int)] = []

    /// Reads a whole body. `headerLength` is what the client says of the JSON's length, if anything.
    ///
    /// Throws `RequestError` for whatever the model cannot take.
    static func decode(
        _ body: [UInt8], headerLength: Int?, model: LoadedModel, limits: APILimits
    ) throws(RequestError) -> InferCall {
        if headerLength == 0 {
            return try RawRequest.decode(body, model: model.name, interface: model.interface)
        }
        let jsonByteCount = headerLength ?? body.count
        guard jsonByteCount > 0 || headerLength == nil, jsonByteCount <= body.count else {
            throw .header(
                name: InferFields.headerLength,
                reason: "\(jsonByteCount) bytes of JSON are announced, the body has \(body.count)")
        }
        var decoder = InferDecoder(body: body, assembly: InferAssembly(model: model, limits: limits))
        try decoder.readJSON(byteCount: jsonByteCount)
        try decoder.readBinaryInputs(from: jsonByteCount)
        return try decoder.assembly.call()
    }

    private init(body: [UInt8], assembly: InferAssembly) {
        self.body = body
        self.assembly = assembly
    }

    private mutating func readJSON(byteCount: Int) throws(RequestError) {
        var reader = JSONReader(body, byteCount: byteCount, limits: assembly.limits)
        var seen = SeenKeys(owner: "the request")
        try reader.object { (reader, key) throws(RequestError) in
            switch key {
            case "id":
                try seen.note(key)
                if try !reader.skipNull() { assembly.identifier = try reader.string() }
            case "parameters":
                try seen.note(key)
                if try !reader.skipNull() { try readParameters(&reader) }
            case "inputs":
                try seen.note(key)
                try reader.array { (reader) throws(RequestError) in try readInput(&reader) }
            case "outputs":
                try seen.note(key)
                guard try !reader.skipNull() else { return }
                try reader.array { (reader) throws(RequestError) in try readOutput(&reader) }
            default: try reader.skipValue()
            }
        }
        try reader.finish()
        guard seen.contains("inputs") else { throw .missingKey("inputs", of: "the request") }
    }

    private mutating func readParameters(_ reader: inout JSONReader) throws(RequestError) {
        try reader.object { (reader, key) throws(RequestError) in
            switch key {
            case InferFields.binaryDataOutput: assembly.wantsBinaryOutputs = try reader.boolean()
            case InferFields.timeout: try assembly.setTimeout(microseconds: try reader.integer())
            case InferFields.priority: try assembly.setPriority(try reader.integer())
            default: try reader.skipValue()
            }
        }
    }

    private mutating func readInput(_ reader: inout JSONReader) throws(RequestError) {
        let maximumCount = assembly.limits.maximumTensorCount
        guard assembly.inputs.count + binaryInputs.count < maximumCount else {
            throw .limit("inputs", maximum: maximumCount)
        }
        let fields = try InputFields(
            &reader, assembly, place: "inputs[\(assembly.inputs.count + binaryInputs.count)]")
        let name = fields.name
        guard assembly.inputs[name] == nil, !binaryInputs.contains(where: { $0.port.name == name }) else {
            throw .serving(.repeatedInput(model: assembly.model, input: name))
        }
        switch (fields.tensor, fields.binaryByteCount) {
        case (let tensor?, nil): assembly.inputs[name] = tensor
        case (nil, let byteCount?): binaryInputs.append((fields.port, fields.shape, byteCount))
        case (nil, nil):
            throw .input(name, reason: "has neither 'data' nor the parameter '\(InferFields.binaryDataSize)'")
        case (_?, _?):
            throw .input(name, reason: "has both 'data' and the parameter '\(InferFields.binaryDataSize)'")
        }
    }

    private mutating func readOutput(_ reader: inout JSONReader) throws(RequestError) {
        try assembly.checkRoomForOutput()
        var output = InferAssembly.RequestedOutput()
        let place = "outputs[\(assembly.requestedCount)]"
        var seen = SeenKeys(owner: place)
        try reader.object { (reader, key) throws(RequestError) in
            switch key {
            case "name":
                try seen.note(key)
                output.name = try reader.string()
            case "parameters":
                try seen.note(key)
                guard try !reader.skipNull() else { return }
                try reader.object { (reader, key) throws(RequestError) in
                    switch key {
                    case InferFields.binaryData: output.isBinary = try reader.boolean()
                    case InferFields.classification: output.classCount = try reader.integer()
                    default: try reader.skipValue()
                    }
                }
            default: try reader.skipValue()
            }
        }
        guard seen.contains("name") else { throw .missingKey("name", of: place) }
        try assembly.request(output)
    }

    private mutating func readBinaryInputs(from start: Int) throws(RequestError) {
        var offset = start
        for (port, shape, byteCount) in binaryInputs {
            let expected = shape.count * port.elementType.byteCount
            guard byteCount == expected else {
                throw .input(
                    port.name,
                    reason: "shape \(shape) of \(port.elementType.datatype) takes \(expected) bytes, "
                        + "'\(InferFields.binaryDataSize)' is \(byteCount)")
            }
            guard byteCount <= body.count - offset else {
                throw .input(
                    port.name, reason: "\(byteCount) bytes are announced, \(body.count - offset) are left")
            }
            assembly.inputs[port.name] = try BinaryTensor.read(
                body[offset..<offset + byteCount], name: port.name, elementType: port.elementType,
                shape: shape)
            offset += byteCount
        }
        guard offset == body.count else {
            throw .binary(reason: "\(body.count - offset) bytes are left over after the last binary input")
        }
    }
}

/// The known keys that an object has had: one that comes twice has no meaning.
struct SeenKeys {
    private let owner: String
    private var keys: [String] = []

    init(owner: String) { self.owner = owner }

    mutating func note(_ key: String) throws(RequestError) {
        guard !keys.contains(key) else { throw .repeatedKey(key, of: owner) }
        keys.append(key)
    }

    func contains(_ key: String) -> Bool { keys.contains(key) }
}
