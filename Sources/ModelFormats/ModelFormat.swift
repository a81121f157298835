import Graph
import Tensors

/// A kind of model file: it turns a path into a graph.
///
/// A format is one folder in ModelFormats/ and one line in `FormatCatalog`.
package protocol ModelFormat: Sendable {
    /// The name that users know: `ONNX`.
    var name: String { get }
    /// The file that a version's folder in a model repository holds: `model.onnx`.
    var fileName: String { get }

    /// Reads the model; weights stay in the mapped file.
    ///
    /// Throws `ModelError`, never traps, whatever the file holds.
    func load(path: String) throws(ModelError) -> Graph
}

extension ModelFormat {
    /// The file in memory, as long as somebody holds it.
    static func map(_ path: String) throws(ModelError) -> MappedFile {
        do {
            return try MappedFile(path: path)
        } catch {
            throw ModelError(error, path: path)
        }
    }
}

/// Why a model cannot be used: what, where, expected and actual.
package enum ModelError: Error, CustomStringConvertible {
    /// The file cannot be read, or its encoding is damaged at `byteOffset`.
    case file(path: String, reason: String, byteOffset: Int? = nil)
    /// A tensor of the file cannot be used.
    case tensor(path: String, name: String, reason: String)
    case graph(path: String, GraphError)
    case unknownFormat(path: String, known: [String])

    package var description: String {
        switch self {
        case .file(let path, let reason, let byteOffset):
            "\(path): \(reason)" + (byteOffset.map { " at byte \($0)" } ?? "")
        case .tensor(let path, let name, let reason): "\(path): tensor '\(name)': \(reason)"
        case .graph(let path, let error): "\(path): \(error)"
        case .unknownFormat(let path, let known):
            "\(path): not a model that foldserve reads (\(known.joined(separator: ", ")))"
        }
    }

    /// A file that could not be mapped.
    init(_ error: TensorError, path: String) {
        if case .file(_, let reason) = error {
            self = .file(path: path, reason: reason)
        } else {
            self = .file(path: path, reason: error.description)
        }
    }
}
