import ModelServing

/// Writes the reply to an inference request as JSON, with raw tensors behind it.
enum InferEncoder {
    struct Reply: Sendable, Equatable {
        let body: [UInt8]
        /// How many bytes of the body are JSON, where raw tensors follow them.
        let headerLength: Int?
    }

    /// Throws `RequestError.output` for elements that JSON cannot carry.
    static func encode(
        _ outputs: [InferOutput], for call: InferCall, model: LoadedModel
    ) throws(RequestError) -> Reply {
        let binaryByteCount = outputs.reduce(0) { $0 + ($1.isBinary ? $1.byteCount : 0) }
        var writer = JSONWriter(capacity: 512 + binaryByteCount)
        writer.open("{")
        if let identifier = call.identifier {
            writer.key("id")
            writer.string(identifier)
        }
        writer.key("model_name")
        writer.string(model.name)
        writer.key("model_version")
        writer.string(model.version)
        writer.key("outputs")
        writer.open("[")
        for output in outputs { try write(output, to: &writer) }
        writer.close("]")
        writer.close("}")
        var body = writer.bytes
        guard outputs.contains(where: \.isBinary) else { return Reply(body: body, headerLength: nil) }
        let headerLength = body.count
        for output in outputs where output.isBinary { output.appendBytes(to: &body) }
        return Reply(body: body, headerLength: headerLength)
    }

    private static func write(_ output: InferOutput, to writer: inout JSONWriter) throws(RequestError) {
        writer.open("{")
        writer.key("name")
        writer.string(output.name)
        writer.key("datatype")
        writer.string(output.datatype)
        writer.key("shape")
        writer.integers(output.shape)
        if output.isBinary {
            writer.key("parameters")
            writer.object { writer in
                writer.key(InferFields.binaryDataSize)
                writer.integer(output.byteCount)
            }
        } else {
            writer.key("data")
            try output.writeData(to: &writer)
        }
        writer.close("}")
    }
}
