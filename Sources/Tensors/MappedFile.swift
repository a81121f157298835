import CLinux
import Glibc

/// A file mapped for reading, so that weights are paged in when they are packed and never copied before.
package final class MappedFile: @unchecked Sendable {
    // The mapping is read-only and lives until `deinit`.
    package let bytes: UnsafeRawBufferPointer
    package let path: String
    /// Among the mappings whose files may be cut short.
    private let number: Int32

    /// Throws `TensorError.file` when `path` is not a regular file that can be read.
    package init(path: String) throws(TensorError) {
        // A FIFO in the file's place would block.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw .file(path: path, reason: String(cString: strerror(errno))) }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else {
            throw .file(path: path, reason: String(cString: strerror(errno)))
        }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw .file(path: path, reason: "not a regular file")
        }
        let byteCount = Int(status.st_size)
        self.path = path
        guard byteCount > 0 else {
            bytes = UnsafeRawBufferPointer(start: nil, count: 0)
            number = -1
            return
        }
        guard let address = mmap(nil, byteCount, PROT_READ, MAP_PRIVATE, descriptor, 0), address != MAP_FAILED
        else { throw .file(path: path, reason: String(cString: strerror(errno))) }
        bytes = UnsafeRawBufferPointer(start: address, count: byteCount)
        number = clinux_add_mapping(address, byteCount)
    }

    /// From now on a file that is cut short while it is mapped reads as zeros behind its end, in place of ending the
    /// process. For a server, which looks whether files changed before it serves what it read.
    package static func surviveCutFiles() { clinux_survive_cut_files() }

    /// Lets go of the memory that the pages wholly inside `range` take; they are read again when they are needed.
    func releasePages(_ range: Range<Int>) {
        guard let address = bytes.baseAddress else { return }
        precondition(range.lowerBound >= 0 && range.upperBound <= bytes.count, "pages outside their file")
        let page = Int(getpagesize())
        let first = (range.lowerBound + page - 1) / page * page
        let last = range.upperBound == bytes.count ? range.upperBound : range.upperBound / page * page
        guard first < last else { return }
        madvise(UnsafeMutableRawPointer(mutating: address + first), last - first, MADV_DONTNEED)
    }

    deinit {
        clinux_remove_mapping(number)
        if let address = bytes.baseAddress { munmap(UnsafeMutableRawPointer(mutating: address), bytes.count) }
    }

    /// The whole file as a storage that keeps the mapping alive.
    package var storage: Storage { Storage(viewing: bytes, of: self) }
}
