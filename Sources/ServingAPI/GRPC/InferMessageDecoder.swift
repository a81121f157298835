import ModelServing
import Tensors

/// Reads a ModelInferRequest: tensors raw after the inputs, or typed inside them.
struct InferMessageDecoder {
    private let message: ProtobufReader
    private var assembly: InferAssembly
    private var inputs: [Input] = []
    /// Where raw tensors lie, in the order of the inputs.
    private var rawContents: [Range<Int>] = []

    private struct Input {
        var name = ""
        var datatype = ""
        var shape: [Int] = []
        var contents: Range<Int>?
    }

    /// Throws `RequestError` for whatever the model cannot take.
    static func decode(
        _ message: ProtobufReader, model: LoadedModel, limits: APILimits
    ) throws(RequestError) -> InferCall {
        var decoder = InferMessageDecoder(
            message: message, assembly: InferAssembly(model: model, limits: limits))
        try decoder.readMessage()
        try decoder.readTensors()
        return try decoder.assembly.call()
    }

    private init(message: ProtobufReader, assembly: InferAssembly) {
        self.message = message
        self.assembly = assembly
    }

    private mutating func readMessage() throws(RequestError) {
        let limits = assembly.limits
        var reader = message
        while let field = try reader.next() {
            switch field.number {
            case 3:
                let identifier = try reader.string(field, "id")
                assembly.identifier = identifier.isEmpty ? nil : identifier
            case 4:
                guard let parameter = try InferParameter(reader.nested(try reader.range(field, "parameters")))
                else { continue }
                try read(parameter)
            case 5:
                guard inputs.count < limits.maximumTensorCount else {
                    throw .limit("inputs", maximum: limits.maximumTensorCount)
                }
                inputs.append(try readInput(reader.nested(try reader.range(field, "inputs"))))
            case 6: try readOutput(reader.nested(try reader.range(field, "outputs")))
            case 7:
                guard rawContents.count < limits.maximumTensorCount else {
                    throw .limit("raw_input_contents", maximum: limits.maximumTensorCount)
                }
                rawContents.append(try reader.range(field, "raw_input_contents"))
            default: break
            }
        }
    }

    private mutating func read(_ parameter: InferParameter) throws(RequestError) {
        switch parameter.name {
        case InferFields.timeout: try assembly.setTimeout(microseconds: try parameter.integer())
        case InferFields.priority: try assembly.setPriority(try parameter.integer())
        default: break
        }
    }

    private func readInput(_ message: ProtobufReader) throws(RequestError) -> Input {
        let maximumRank = assembly.limits.maximumRank
        var reader = message
        var input = Input()
        while let field = try reader.next() {
            switch field.number {
            case 1: input.name = try reader.string(field, "name")
            case 2: input.datatype = try reader.string(field, "datatype")
            case 3:
                try reader.numbers(field, "shape") { (extent) throws(RequestError) in
                    guard input.shape.count < maximumRank else {
                        throw .limit("axes of a tensor", maximum: maximumRank)
                    }
                    input.shape.append(Int(Int64(bitPattern: extent)))
                }
            case 5:
                let range = try reader.range(field, "contents")
                guard input.contents == nil else { throw reader.error("an input has 'contents' twice") }
                // An empty message is what some clients send beside raw tensors.
                if !range.isEmpty { input.contents = range }
            default: break
            }
        }
        return input
    }

    private mutating func readOutput(_ message: ProtobufReader) throws(RequestError) {
        try assembly.checkRoomForOutput()
        var reader = message
        var output = InferAssembly.RequestedOutput(isBinary: true)
        while let field = try reader.next() {
            switch field.number {
            case 1: output.name = try reader.string(field, "name")
            case 2:
                let parameter = try InferParameter(reader.nested(try reader.range(field, "parameters")))
                if let parameter, parameter.name == InferFields.classification {
                    output.classCount = try parameter.integer()
                }
            default: break
            }
        }
        try assembly.request(output)
    }

    private mutating func readTensors() throws(RequestError) {
        assembly.wantsBinaryOutputs = true
        guard rawContents.isEmpty || rawContents.count == inputs.count else {
            throw .binary(
                reason: "\(rawContents.count) raw_input_contents were sent for \(inputs.count) inputs")
        }
        for (index, input) in inputs.enumerated() {
            let (port, shape) = try assembly.checked(
                input.name, datatype: input.datatype, shape: input.shape)
            guard assembly.inputs[port.name] == nil else {
                throw .serving(.repeatedInput(model: assembly.model, input: port.name))
            }
            assembly.inputs[port.name] = try tensor(input, port, shape, index)
        }
    }

    private func tensor(
        _ input: Input, _ port: ModelInterface.Port, _ shape: Shape, _ index: Int
    ) throws(RequestError) -> Tensor {
        guard !rawContents.isEmpty else {
            return try TensorContents.read(
                input.contents.map(message.nested), of: message, port: port, shape: shape)
        }
        guard input.contents == nil else {
            throw .input(port.name, reason: "has 'contents', and raw_input_contents are there too")
        }
        let range = rawContents[index]
        let expected = shape.count * port.elementType.byteCount
        guard range.count == expected else {
            throw .input(
                port.name,
                reason: "shape \(shape) of \(port.elementType.datatype) takes \(expected) bytes, "
                    + "raw_input_contents has \(range.count)")
        }
        return try BinaryTensor.read(
            message.bytes[range], name: port.name, elementType: port.elementType, shape: shape)
    }
}
