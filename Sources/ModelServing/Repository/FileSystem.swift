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

extension FileSystem {
    /// The path with every symbolic link resolved; `nil` when it leads to nothing.
    static func realPath(_ path: String) -> String? {
        guard let resolved = realpath(path, nil) else { return nil }
        defer { free(resolved) }
        return String(cString: resolved)
    }

    /// Throws for a symbolic link that leads out of `root`: a repository is served, and nothing beside it.
    static func checkLink(_ path: String, root: String) throws(RepositoryError) {
        guard let resolved = realPath(path) else {
            throw .folder(path: path, reason: String(cString: strerror(errno)))
        }
        guard resolved == root || resolved.utf8.starts(with: (root == "/" ? root : root + "/").utf8) else {
            throw .folder(path: path, reason: "a symbolic link that leads out of the model repository")
        }
    }
}
