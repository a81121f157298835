import Foundation
import Graph
import ModelFormats
import TestSupport

extension TemporaryFolder {
    /// Writes a file and gives its path.
    @discardableResult
    func write(_ bytes: [UInt8], to name: String) -> String {
        let file = fopen(path + "/" + name, "w")!
        fwrite(bytes, 1, bytes.count, file)
        fclose(file)
        return path + "/" + name
    }

    func makeFolder(_ name: String) { mkdir(path + "/" + name, 0o755) }

    /// Loads a model of these bytes.
    func load(_ message: WireMessage, as name: String = "model.onnx") throws(ModelError) -> Graph {
        try ONNXFormat().load(path: write(message.bytes, to: name))
    }

    /// The description of the error that loading these bytes throws, without the path.
    func refusal(_ message: WireMessage) -> String? {
        let path = write(message.bytes, to: "model.onnx")
        do {
            _ = try ONNXFormat().load(path: path)
            return nil
        } catch {
            let description = error.description
            return description.hasPrefix(path + ": ")
                ? String(description.dropFirst(path.count + 2)) : description
        }
    }
}
