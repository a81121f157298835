import ModelServing
import Tensors

/// Writes the reply to an inference request.
enum InferEncoder {
    struct Reply: Sendable, Equatable {
        let body: [UInt8]
        /// How many bytes of the body are JSON, where raw tensors follow them.
        let headerLength: Int?
    }

    /// Throws `RequestError.output` for elements that JSON cannot carry.
    static func encode(
        _ outputs: [String: Tensor], for call: InferCall, model: LoadedModel
    ) throws(RequestError) -> Reply {
        var entries: [Entry] = []
        for output in call.outputs {
            guard let tensor = outputs[output.port.name] else {
                throw .serving(
                    .execution(model: model.name, reason: "the output '\(output.port.name)' was not computed")
                )
            }
            entries.append(Entry(output, tensor, labels: model.description.labels(of: output.port.name)))
        }
        let binaryByteCount = entries.reduce(0) { $0 + ($1.isBinary ? $1.byteCount : 0) }
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
        for entry in entries { try entry.write(to: &writer) }
        writer.close("]")
        writer.close("}")
        var body = writer.bytes
        guard entries.contains(where: \.isBinary) else { return Reply(body: body, headerLength: nil) }
        let headerLength = body.count
        for entry in entries where entry.isBinary { entry.appendBytes(to: &body) }
        return Reply(body: body, headerLength: headerLength)
    }

    /// One output in the form that it travels in.
    private struct Entry {
        private enum Contents {
            case tensor(Tensor)
            case classes(Classification)
        }

        private let name: String
        private let contents: Contents
        let isBinary: Bool

        init(_ output: InferCall.Output, _ tensor: Tensor, labels: [String]?) {
            name = output.port.name
            isBinary = output.isBinary
            contents =
                output.classCount > 0
                ? .classes(Classification(tensor, classCount: output.classCount, labels: labels ?? []))
                : .tensor(tensor)
        }

        var byteCount: Int {
            switch contents {
            case .tensor(let tensor): tensor.byteCount
            case .classes(let classes): classes.byteCount
            }
        }

        func write(to writer: inout JSONWriter) throws(RequestError) {
            writer.open("{")
            writer.key("name")
            writer.string(name)
            writer.key("datatype")
            switch contents {
            case .tensor(let tensor):
                writer.string(tensor.elementType.datatype)
                writer.key("shape")
                writer.integers(tensor.shape.dimensions)
            case .classes(let classes):
                writer.string("BYTES")
                writer.key("shape")
                writer.integers(classes.shape)
            }
            if isBinary {
                writer.key("parameters")
                writer.object { writer in
                    writer.key(InferFields.binaryDataSize)
                    writer.integer(byteCount)
                }
            } else {
                writer.key("data")
                switch contents {
                case .tensor(let tensor): try TensorText.write(tensor, name: name, to: &writer)
                case .classes(let classes): writer.strings(classes.entries)
                }
            }
            writer.close("}")
        }

        func appendBytes(to body: inout [UInt8]) {
            switch contents {
            case .tensor(let tensor): tensor.withUnsafeBytes { body.append(contentsOf: $0) }
            case .classes(let classes): classes.appendBytes(to: &body)
            }
        }
    }
}
