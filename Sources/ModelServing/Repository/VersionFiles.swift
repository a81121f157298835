import Glibc

/// Every file that a version is made of, as it is on the disk at one moment: the version's folder with what is in it,
/// and the model's description.
package struct VersionFiles: Sendable, Equatable {
    struct Entry: Sendable, Equatable {
        /// Relative to the version's folder; empty for the folder itself.
        let path: String
        let identity: FileIdentity
        let isFolder: Bool
    }

    private let folder: String
    private let entries: [Entry]
    private let description: FileIdentity?
    /// Why the files cannot be used, whatever is in them.
    let problem: String?

    /// Files and folders of one version that are looked at.
    static let maximumEntryCount = 10_000
    /// Folders inside each other.
    static let maximumDepth = 8

    /// Looks at the files; `root` is where symbolic links may lead at most, its own links resolved.
    init(folder: String, descriptionPath: String, root: String) {
        self.folder = folder
        var entries: [Entry] = []
        var problem: String?
        do throws(RepositoryError) {
            try Self.collect(folder, "", root, depth: 0, into: &entries)
        } catch {
            problem = error.description
        }
        self.entries = entries
        self.problem = problem
        description = FileIdentity(path: descriptionPath)
    }

    /// Bytes of the files below the version's own folder, golden vectors apart.
    var modelByteCount: Int {
        entries.reduce(0) { sum, entry in
            guard !entry.isFolder, !entry.path.hasPrefix("golden/") else { return sum }
            let (total, overflow) = sum.addingReportingOverflow(max(0, entry.identity.byteCount))
            return overflow ? .max : total
        }
    }

    /// Whether no file has been written in place since. One that was replaced or removed is still there as it was for
    /// whoever has it mapped.
    package var areIntact: Bool {
        entries.allSatisfy { entry in
            guard !entry.isFolder, let now = FileIdentity(path: folder + "/" + entry.path),
                now.device == entry.identity.device, now.inode == entry.identity.inode
            else { return true }
            return now == entry.identity
        }
    }

    var hasGoldenVectors: Bool { entries.contains { $0.isFolder && $0.path == "golden" } }

    /// When something in it was written last, in milliseconds since 1970.
    var lastChangeMilliseconds: Int {
        entries.map { $0.identity.modifiedSeconds &* 1000 &+ $0.identity.modifiedNanoseconds / 1_000_000 }
            .max()
            ?? 0
    }

    private static func collect(
        _ path: String, _ name: String, _ root: String, depth: Int, into entries: inout [Entry]
    ) throws(RepositoryError) {
        var link = stat()
        guard lstat(path, &link) == 0, let identity = FileIdentity(path: path) else {
            throw .folder(path: path, reason: String(cString: strerror(errno)))
        }
        if link.st_mode & S_IFMT == S_IFLNK { try FileSystem.checkLink(path, root: root) }
        guard entries.count < maximumEntryCount else {
            throw .folder(path: path, reason: "more than \(maximumEntryCount) files in one version")
        }
        let isFolder = FileSystem.isDirectory(path)
        entries.append(Entry(path: name, identity: identity, isFolder: isFolder))
        guard isFolder else { return }
        guard depth < maximumDepth else {
            throw .folder(path: path, reason: "folders lie deeper than \(maximumDepth)")
        }
        for entry in try FileSystem.entries(of: path) {
            try collect(
                path + "/" + entry, name.isEmpty ? entry : name + "/" + entry, root, depth: depth + 1,
                into: &entries)
        }
    }
}
