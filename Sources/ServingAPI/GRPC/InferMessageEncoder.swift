import ModelServing

/// Writes a ModelInferResponse; every output is raw, since common clients read no other form.
enum InferMessageEncoder {
    /// What a message takes beside its tensors, about.
    private static let overheadByteCount = 512

    static func encode(
        _ outputs: [InferOutput], for call: InferCall, model: LoadedModel
    ) -> ProtobufWriter {
        let byteCount = outputs.reduce(overheadByteCount) { $0 + $1.byteCount }
        var writer = GRPCFrame.begin(capacity: byteCount)
        writer.string(1, model.name)
        writer.string(2, model.version)
        writer.string(3, call.identifier ?? "")
        for output in outputs {
            writer.message(5) { writer in
                writer.string(1, output.name)
                writer.string(2, output.datatype)
                writer.integers(3, output.shape)
            }
        }
        for output in outputs {
            writer.data(6, byteCount: output.byteCount) { output.appendBytes(to: &$0) }
        }
        return writer
    }
}
