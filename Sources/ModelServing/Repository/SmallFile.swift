import Glibc

/// Files that are read whole into memory of ours, so that nobody can change them while they are looked at.
package enum SmallFile {
    package struct Failure: Error {
        package let reason: String
    }

    /// Throws for what is no regular file, cannot be read or is longer than `maximumByteCount`.
    package static func read(_ path: String, maximumByteCount: Int) throws(Failure) -> [UInt8] {
        // A FIFO in the file's place would block.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw Failure(reason: String(cString: strerror(errno))) }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw Failure(reason: "not a regular file")
        }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 16 << 10)
        while true {
            let count = Glibc.read(descriptor, &buffer, buffer.count)
            if count == 0 { return bytes }
            if count < 0 {
                if errno == EINTR { continue }
                throw Failure(reason: String(cString: strerror(errno)))
            }
            guard bytes.count + count <= maximumByteCount else {
                throw Failure(reason: "more than \(maximumByteCount) bytes")
            }
            bytes += buffer[..<count]
        }
    }
}
