import Glibc
import Tensors

/// The files beside a model that hold its tensors, each mapped once.
///
/// A model may name files in its own folder and below, and nothing else: a model is data, and must not be able to
/// read what its server can.
final class ONNXExternalData {
    struct Refusal: Error {
        let reason: String
    }

    private let folder: String
    private var storages: [String: Storage] = [:]

    init(modelPath: String) {
        folder = modelPath.lastIndex(of: "/").map { String(modelPath[...$0]) } ?? "."
    }

    /// The bytes of the file at `location`, relative to the model's folder.
    ///
    /// Throws for a path that is absolute, goes up or leads out of the folder through a symbolic link.
    func storage(at location: String) throws(Refusal) -> Storage {
        if let storage = storages[location] { return storage }
        guard storages.count < ONNXLimits.maximumExternalFileCount else {
            throw Refusal(reason: "more than \(ONNXLimits.maximumExternalFileCount) external files")
        }
        let storage: Storage
        do {
            storage = try MappedFile(path: resolve(location)).storage
        } catch let error as TensorError {
            throw Refusal(reason: "external data: \(error)")
        } catch let error as Refusal {
            throw error
        } catch {
            throw Refusal(reason: "external data: \(error)")
        }
        storages[location] = storage
        return storage
    }

    private func resolve(_ location: String) throws(Refusal) -> String {
        let components = location.split(separator: "/", omittingEmptySubsequences: false)
        guard !location.isEmpty, !location.hasPrefix("/"), !components.contains(".."),
            !location.utf8.contains(0)
        else {
            throw Refusal(reason: "external data '\(location)' is not a path inside the model's folder")
        }
        guard let root = Self.realPath(folder), let resolved = Self.realPath(folder + "/" + location) else {
            throw Refusal(reason: "external data '\(location)': \(String(cString: strerror(errno)))")
        }
        guard resolved.utf8.starts(with: (root == "/" ? root : root + "/").utf8) else {
            throw Refusal(reason: "external data '\(location)' leads out of the model's folder")
        }
        return resolved
    }

    private static func realPath(_ path: String) -> String? {
        guard let resolved = realpath(path, nil) else { return nil }
        defer { free(resolved) }
        return String(cString: resolved)
    }
}
