import Graph
import Tensors

/// A file that holds one TensorProto, as the ONNX project's tests store their inputs and outputs.
package enum ONNXTensorFile {
    /// The tensor; its elements stay in the mapped file where they are stored as they are in memory.
    package static func read(path: String) throws(ModelError) -> Tensor {
        let file: MappedFile
        do {
            file = try MappedFile(path: path)
        } catch {
            throw ModelError(error, path: path)
        }
        let proto: ONNXTensorProto
        do {
            let structure = try ONNXStripper.strip(file.bytes, schema: .tensor)
            proto = try ONNXTensorProto(serializedBytes: structure)
        } catch {
            throw .file(path: path, reason: "not a readable ONNX tensor: \(error)")
        }
        let reader = ONNXTensorReader(
            path: path, storage: file.storage, externalData: ONNXExternalData(modelPath: path))
        return try reader.read(proto, name: proto.name)
    }
}
