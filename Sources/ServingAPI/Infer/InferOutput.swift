import ModelServing
import Tensors

/// One output of an answer in the form that it travels in: a tensor, or the best classes of one.
struct InferOutput: Sendable {
    private enum Contents {
        case tensor(Tensor)
        case classes(Classification)
    }

    let name: String
    private let contents: Contents
    /// Whether the caller wants raw bytes.
    let isBinary: Bool

    private init(_ output: InferCall.Output, _ tensor: Tensor, labels: [String]?) {
        name = output.port.name
        isBinary = output.isBinary
        contents =
            output.classCount > 0
            ? .classes(Classification(tensor, classCount: output.classCount, labels: labels ?? []))
            : .tensor(tensor)
    }

    /// What was asked for, in that order, out of what the network gave.
    static func outputs(
        of call: InferCall, from tensors: [String: Tensor], model: LoadedModel
    ) throws(RequestError) -> [InferOutput] {
        var outputs: [InferOutput] = []
        for output in call.outputs {
            guard let tensor = tensors[output.port.name] else {
                throw .serving(
                    .execution(model: model.name, reason: "the output '\(output.port.name)' was not computed")
                )
            }
            outputs.append(
                InferOutput(output, tensor, labels: model.description.labels(of: output.port.name)))
        }
        return outputs
    }

    var datatype: String {
        switch contents {
        case .tensor(let tensor): tensor.elementType.datatype
        case .classes: "BYTES"
        }
    }

    var shape: [Int] {
        switch contents {
        case .tensor(let tensor): tensor.shape.dimensions
        case .classes(let classes): classes.shape
        }
    }

    /// The size as raw bytes.
    var byteCount: Int {
        switch contents {
        case .tensor(let tensor): tensor.byteCount
        case .classes(let classes): classes.byteCount
        }
    }

    /// The elements as JSON. Throws for those that JSON cannot carry.
    func writeData(to writer: inout JSONWriter) throws(RequestError) {
        switch contents {
        case .tensor(let tensor): try TensorText.write(tensor, name: name, to: &writer)
        case .classes(let classes): writer.strings(classes.entries)
        }
    }

    /// The elements as lists in lists, of one item along the first axis or of all; a tensor without axes is a number.
    func writeNested(item: Int?, to writer: inout JSONWriter) throws(RequestError) {
        switch contents {
        case .tensor(let tensor): try TensorText.writeNested(tensor, item: item, name: name, to: &writer)
        case .classes(let classes): writer.strings(classes.entries)
        }
    }

    func appendBytes(to body: inout [UInt8]) {
        switch contents {
        case .tensor(let tensor): tensor.withUnsafeBytes { body.append(contentsOf: $0) }
        case .classes(let classes): classes.appendBytes(to: &body)
        }
    }
}
