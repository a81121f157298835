import ModelServing
import Tensors

/// A request without any JSON: the whole body is the data of the model's one input, a batch of one item.
enum RawRequest {
    static func decode(
        _ body: [UInt8], model: String, interface: ModelInterface
    ) throws(RequestError) -> InferCall {
        let required = interface.inputs.filter { !$0.isOptional }
        guard let port = required.first, required.count == 1 else {
            throw .binary(
                reason: "a raw request needs a model with one input, '\(model)' has \(required.count)")
        }
        let shape = try shape(of: port, byteCount: body.count)
        let tensor = try BinaryTensor.read(
            body[...], name: port.name, elementType: port.elementType, shape: shape)
        let outputs = interface.outputs.map { InferCall.Output(port: $0, isBinary: true, classCount: 0) }
        return InferCall(
            identifier: nil, inputs: [port.name: tensor], timeoutMicroseconds: nil, outputs: outputs)
    }

    /// The first open axis is the batch when it comes first; one more may follow from the number of bytes.
    private static func shape(
        of port: ModelInterface.Port, byteCount: Int
    ) throws(RequestError) -> Shape {
        var dimensions = port.dimensions
        if let first = dimensions.first, first == nil { dimensions[0] = 1 }
        let open = dimensions.indices.filter { dimensions[$0] == nil }
        guard open.count <= 1 else {
            throw .input(
                port.name, reason: "a raw request cannot tell the extents of shape \(port.protocolShape)")
        }
        let known: Shape
        do {
            known = try Shape(dimensions.map { $0 ?? 1 })
        } catch {
            throw .input(port.name, reason: error.description)
        }
        let itemByteCount = known.count * port.elementType.byteCount
        guard let axis = open.first else {
            guard byteCount == itemByteCount else {
                throw .input(port.name, reason: "takes \(itemByteCount) bytes, the body has \(byteCount)")
            }
            return known
        }
        guard itemByteCount > 0, byteCount % itemByteCount == 0 else {
            throw .input(
                port.name, reason: "takes a multiple of \(itemByteCount) bytes, the body has \(byteCount)")
        }
        dimensions[axis] = byteCount / itemByteCount
        do {
            return try Shape(dimensions.map { $0 ?? 1 })
        } catch {
            throw .input(port.name, reason: error.description)
        }
    }
}
