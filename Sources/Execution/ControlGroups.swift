import Glibc

/// What the control groups that this process is in, of either version, are given.
package enum ControlGroups {
    /// The least of `value` over the folders of the groups that a controller counts in, and of the groups above them; `nil`
    /// where it says nothing for any.
    ///
    /// `readFile` is given paths and returns the text of the file, if there is one; `value` gets a folder and whether it is one
    /// of version 2.
    package static func least(
        _ controller: String, readFile: (String) -> String?,
        _ value: (_ folder: String, _ isUnified: Bool) -> Int?
    ) -> Int? {
        var least: Int?
        for line in readFile("/proc/self/cgroup")?.split(separator: "\n") ?? [] {
            let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard fields.count == 3 else { continue }
            let isUnified = fields[0] == "0" && fields[1].isEmpty
            guard isUnified || fields[1].split(separator: ",").contains(where: { $0 == controller }) else {
                continue
            }
            let root = isUnified ? "/sys/fs/cgroup" : "/sys/fs/cgroup/" + controller
            // A group above may be given less. Inside a container the path may not be there at all: the root is.
            var path = fields[2] == "/" ? "" : String(fields[2])
            while true {
                if let found = value(root + path, isUnified) { least = min(least ?? found, found) }
                guard let slash = path.lastIndex(of: "/") else { break }
                path = String(path[..<slash])
            }
        }
        return least
    }

    /// The most bytes that are read of a file.
    private static let maximumByteCount = 1 << 16

    /// The text of a file of the kernel's; `nil` where there is none.
    package static func text(_ path: String) -> String? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: maximumByteCount)
        let count = read(descriptor, &bytes, bytes.count)
        return count >= 0 ? String(decoding: bytes[..<count], as: UTF8.self) : nil
    }
}
