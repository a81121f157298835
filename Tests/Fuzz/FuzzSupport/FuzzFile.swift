import Glibc

/// Bytes as a file in shared memory, for readers that map what they read.
package struct FuzzFile: ~Copyable {
    package let path: String

    package init(_ bytes: UnsafeBufferPointer<UInt8>, name: String) {
        path = "/dev/shm/foldserve-fuzz-\(getpid())-\(name)"
        guard let file = fopen(path, "wb") else { fatalError("cannot write \(path)") }
        precondition(fwrite(bytes.baseAddress, 1, bytes.count, file) == bytes.count)
        fclose(file)
    }

    deinit { unlink(path) }
}
