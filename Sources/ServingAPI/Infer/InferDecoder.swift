import ModelServing
import Tensors

/// Reads the body of an inference request: JSON, and the raw tensors that may follow it.
///
/// Source: Open Inference Protocol, binary tensor data extension.
struct InferDecoder {
    private let body: [UInt8]
    private let model: String
    private let interface: ModelInterface
    private let limits: APILimits

    private var identifier: String?
    private var timeoutMicroseconds: UInt64?
    private var wantsBinaryOutputs = false
    private var inputs: [String: Tensor] = [:]
    /// Inputs whose bytes follow the JSON, in its order.
    private var binaryInputs: [(port: ModelInterface.Port, shape: Shape, byteCount: Int)] = []
    private var requested: [RequestedOutput] = []

    private struct RequestedOutput {
        var name = ""
        var isBinary: Bool?
        var classCount = 0
    }

    /// Reads a whole body. `headerLength` is what the client says of the JSON's length, if anything.
    ///
    /// Throws `RequestError` for whatever the model cannot take.
    static func decode(
        _ body: [UInt8], headerLength: Int?, model: String, interface: ModelInterface, limits: APILimits
    ) throws(RequestError) -> InferCall {
        if headerLength == 0 { return try RawRequest.decode(body, model: model, interface: interface) }
        let jsonByteCount = headerLength ?? body.count
        guard jsonByteCount > 0 || headerLength == nil, jsonByteCount <= body.count else {
            throw .header(
                name: InferFields.headerLength,
                reason: "\(jsonByteCount) bytes of JSON are announced, the body has \(body.count)")
        }
        var decoder = InferDecoder(body: body, model: model, interface: interface, limits: limits)
        try decoder.readJSON(byteCount: jsonByteCount)
        try decoder.readBinaryInputs(from: jsonByteCount)
        return try decoder.call()
    }

    private init(body: [UInt8], model: String, interface: ModelInterface, limits: APILimits) {
        self.body = body
        self.model = model
        self.interface = interface
        self.limits = limits
    }

    private mutating func readJSON(byteCount: Int) throws(RequestError) {
        var reader = JSONReader(body, byteCount: byteCount, limits: limits)
        var seen = SeenKeys(owner: "the request")
        try reader.object { (reader, key) throws(RequestError) in
            switch key {
            case "id":
                try seen.note(key)
                if try !reader.skipNull() { identifier = try reader.string() }
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
        let owner = "the request's parameters"
        try reader.object { (reader, key) throws(RequestError) in
            switch key {
            case InferFields.binaryDataOutput: wantsBinaryOutputs = try reader.boolean()
            case "timeout":
                let value = try reader.integer()
                guard value >= 0 else {
                    throw .value(key: key, of: owner, expected: "microseconds, 0 or more")
                }
                // As in Triton, 0 stands for no timeout.
                timeoutMicroseconds = value == 0 ? nil : UInt64(value)
            case "priority":
                guard try reader.integer() >= 0 else {
                    throw .value(key: key, of: owner, expected: "0 or more")
                }
            default: try reader.skipValue()
            }
        }
    }

    private mutating func readInput(_ reader: inout JSONReader) throws(RequestError) {
        guard inputs.count + binaryInputs.count < limits.maximumTensorCount else {
            throw .limit("inputs", maximum: limits.maximumTensorCount)
        }
        let fields = try InputFields(&reader, self)
        let name = fields.name
        guard inputs[name] == nil, !binaryInputs.contains(where: { $0.port.name == name }) else {
            throw .serving(.repeatedInput(model: model, input: name))
        }
        switch (fields.tensor, fields.binaryByteCount) {
        case (let tensor?, nil): inputs[name] = tensor
        case (nil, let byteCount?): binaryInputs.append((fields.port, fields.shape, byteCount))
        case (nil, nil):
            throw .input(name, reason: "has neither 'data' nor the parameter '\(InferFields.binaryDataSize)'")
        case (_?, _?):
            throw .input(name, reason: "has both 'data' and the parameter '\(InferFields.binaryDataSize)'")
        }
    }

    /// The port that an input stands for, and its shape.
    func checked(
        _ name: String, datatype: String, shape: [Int]
    ) throws(RequestError) -> (ModelInterface.Port, Shape) {
        let port: ModelInterface.Port
        do {
            port = try interface.checkedInput(name, datatype: datatype, shape: shape, model: model)
        } catch {
            throw .serving(error)
        }
        let checked: Shape
        do {
            checked = try Shape(shape)
        } catch {
            throw .input(name, reason: error.description)
        }
        // A checked shape's extents above 0 have a product that fits.
        guard
            checked.count > 0
                || shape.lazy.filter({ $0 > 0 }).reduce(1, *) <= limits.maximumEmptyExtentProduct
        else { throw .input(name, reason: "shape \(checked) is too long for a tensor without elements") }
        return (port, checked)
    }

    private mutating func readOutput(_ reader: inout JSONReader) throws(RequestError) {
        guard requested.count < limits.maximumTensorCount else {
            throw .limit("requested outputs", maximum: limits.maximumTensorCount)
        }
        var output = RequestedOutput()
        var seen = SeenKeys(owner: "an output")
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
        guard seen.contains("name") else { throw .missingKey("name", of: "an output") }
        guard (0...limits.maximumClassCount).contains(output.classCount) else {
            throw .output(
                output.name,
                reason: "'\(InferFields.classification)' must be 0 to \(limits.maximumClassCount)")
        }
        guard !requested.contains(where: { $0.name == output.name }) else {
            throw .output(output.name, reason: "is requested twice")
        }
        requested.append(output)
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
            inputs[port.name] = try BinaryTensor.read(
                body[offset..<offset + byteCount], name: port.name, elementType: port.elementType,
                shape: shape)
            offset += byteCount
        }
        guard offset == body.count else {
            throw .binary(reason: "\(body.count - offset) bytes are left over after the last binary input")
        }
    }

    private func call() throws(RequestError) -> InferCall {
        do {
            try interface.checkComplete(inputs.keys, model: model)
        } catch {
            throw .serving(error)
        }
        var outputs: [InferCall.Output] = []
        for output in requested {
            guard let port = interface.output(output.name) else {
                throw .serving(.unexpectedOutput(model: model, output: output.name))
            }
            outputs.append(
                InferCall.Output(
                    port: port, isBinary: output.isBinary ?? wantsBinaryOutputs,
                    classCount: output.classCount))
        }
        if outputs.isEmpty {
            outputs = interface.outputs.map {
                InferCall.Output(port: $0, isBinary: wantsBinaryOutputs, classCount: 0)
            }
        }
        return InferCall(
            identifier: identifier, inputs: inputs, timeoutMicroseconds: timeoutMicroseconds, outputs: outputs
        )
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
