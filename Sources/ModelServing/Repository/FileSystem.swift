import Glibc
import Tensors

/// The few questions that a repository asks of the file system.
enum FileSystem {
    /// The most entries of a folder that are read.
    static let maximumEntryCount = 100_000

    static func exists(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0
    }

    static func isDirectory(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }

    /// The names in a folder but hidden ones, sorted.
    static func entries(of path: String) throws(RepositoryError) -> [String] {
        guard let directory = opendir(path) else {
            throw .folder(path: path, reason: String(cString: strerror(errno)))
        }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            guard !name.hasPrefix(".") else { continue }
            guard names.count < maximumEntryCount else {
                throw .folder(path: path, reason: "more than \(maximumEntryCount) entries")
            }
            names.append(name)
        }
        return names.sorted()
    }

    /// A file error's reason without its path.
    static func reason(_ error: TensorError) -> String {
        if case .file(_, let reason) = error { reason } else { error.description }
    }
}
