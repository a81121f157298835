import Glibc
import Tensors

/// Owned floats, zeroed, aligned to cache lines and on huge pages where that is worth it.
package final class FloatMemory: @unchecked Sendable {
    // The memory is written by whoever made it, before it is shared, and stays valid until `deinit`.
    package let pointer: UnsafeMutablePointer<Float>
    package let count: Int

    /// Kernels read whole vectors: so many floats behind the last one may be read as well.
    package static let slack = 64
    private static let hugePageByteCount = 1 << 21

    /// Traps when the system has no memory for weights that a model file holds.
    package init(count: Int) {
        precondition(count >= 0, "a memory of \(count) floats")
        let byteCount = (count + Self.slack) * MemoryLayout<Float>.stride
        let address = byteCount < Self.hugePageByteCount ? Self.zeroed(byteCount) : Self.mapped(byteCount)
        guard let address else { preconditionFailure("no memory for \(byteCount) bytes") }
        pointer = address.bindMemory(to: Float.self, capacity: count + Self.slack)
        self.count = count
    }

    private static func zeroed(_ byteCount: Int) -> UnsafeMutableRawPointer? {
        var address: UnsafeMutableRawPointer?
        guard posix_memalign(&address, Storage.alignment, byteCount) == 0, let address else { return nil }
        memset(address, 0, byteCount)
        return address
    }

    /// Pages that the system zeroes when they are first written, by whichever thread writes them.
    private static func mapped(_ byteCount: Int) -> UnsafeMutableRawPointer? {
        let size = mappedByteCount(byteCount)
        let protection = PROT_READ | PROT_WRITE
        guard let start = mmap(nil, size + hugePageByteCount, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
            start != MAP_FAILED
        else { return nil }
        // What lies before the first huge page and behind the last one goes back.
        let before = (hugePageByteCount - Int(bitPattern: start) % hugePageByteCount) % hugePageByteCount
        if before > 0 { munmap(start, before) }
        munmap(start + before + size, hugePageByteCount - before)
        madvise(start + before, size, MADV_HUGEPAGE)
        return start + before
    }

    private static func mappedByteCount(_ byteCount: Int) -> Int {
        let pageByteCount = Int(sysconf(Int32(_SC_PAGESIZE)))
        return (byteCount + pageByteCount - 1) / pageByteCount * pageByteCount
    }

    /// An aligned copy of a tensor's floats.
    package convenience init(_ tensor: Tensor) {
        precondition(tensor.elementType == .float32, "floats from \(tensor.elementType)")
        self.init(count: tensor.shape.count)
        tensor.withUnsafeBytes { bytes in
            UnsafeMutableRawBufferPointer(start: pointer, count: bytes.count).copyMemory(from: bytes)
        }
    }

    package convenience init(_ elements: [Float]) {
        self.init(count: elements.count)
        elements.withUnsafeBufferPointer { source in
            if let base = source.baseAddress { pointer.update(from: base, count: source.count) }
        }
    }

    deinit {
        let byteCount = (count + Self.slack) * MemoryLayout<Float>.stride
        if byteCount < Self.hugePageByteCount {
            free(pointer)
        } else {
            munmap(pointer, Self.mappedByteCount(byteCount))
        }
    }
}
