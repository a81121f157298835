import Graph
import SwiftProtobuf
import Tensors

/// Open Neural Network Exchange: IR versions 3 to 14, default operator sets 7 to 26.
///
/// Weights stay in the mapped file, or in mapped files beside it.
package struct ONNXFormat: ModelFormat {
    package let name = "ONNX"
    package let fileName = "model.onnx"

    private let readsOwnOperators: Bool

    package init() { self.init(readsOwnOperators: false) }

    /// With `readsOwnOperators`, Graph's own operators are read as well: what `ONNXWriter(keepsOwnOperators:)` wrote.
    package init(readsOwnOperators: Bool) { self.readsOwnOperators = readsOwnOperators }

    package func load(path: String) throws(ModelError) -> Graph {
        let file = try Self.map(path)
        let tensors = ONNXTensorReader(
            path: path, storage: file.storage, externalData: ONNXExternalData(modelPath: path))
        return try ONNXGraphReader(path: path, tensors: tensors, readsOwnOperators: readsOwnOperators)
            .read(Self.structure(of: file))
    }

    private static func structure(of file: MappedFile) throws(ModelError) -> ONNXModelProto {
        let structure: [UInt8]
        do {
            structure = try ONNXStripper.strip(file.bytes)
        } catch {
            throw .file(
                path: file.path, reason: "not a readable ONNX model: \(error.reason)",
                byteOffset: error.byteOffset)
        }
        do {
            return try ONNXModelProto(serializedBytes: structure)
        } catch {
            throw .file(path: file.path, reason: "not a readable ONNX model: \(error)")
        }
    }
}
