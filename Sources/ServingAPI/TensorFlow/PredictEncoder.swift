import ModelServing

/// Writes the answer to a TF Serving prediction, in the form of its request; a single output goes without its name.
enum PredictEncoder {
    /// Throws where an output has no item for each instance, and for elements that JSON cannot carry.
    static func encode(
        _ outputs: [InferOutput], for prediction: PredictDecoder.Prediction
    ) throws(RequestError) -> [UInt8] {
        var writer = JSONWriter()
        writer.open("{")
        if let count = prediction.instanceCount {
            writer.key("predictions")
            try writeRows(outputs, count: count, to: &writer)
        } else {
            writer.key("outputs")
            if outputs.count == 1 {
                try outputs[0].writeNested(item: nil, to: &writer)
            } else {
                try writeObject(outputs, item: nil, to: &writer)
            }
        }
        writer.close("}")
        return writer.bytes
    }

    private static func writeRows(
        _ outputs: [InferOutput], count: Int, to writer: inout JSONWriter
    ) throws(RequestError) {
        for output in outputs where output.shape.first != count {
            throw .output(
                output.name,
                reason: "its shape \(output.shape) does not begin with the \(count) instances; send 'inputs'")
        }
        if outputs.count == 1 { return try outputs[0].writeNested(item: nil, to: &writer) }
        writer.open("[")
        for item in 0..<count { try writeObject(outputs, item: item, to: &writer) }
        writer.close("]")
    }

    private static func writeObject(
        _ outputs: [InferOutput], item: Int?, to writer: inout JSONWriter
    ) throws(RequestError) {
        writer.open("{")
        for output in outputs {
            writer.key(output.name)
            try output.writeNested(item: item, to: &writer)
        }
        writer.close("}")
    }
}
