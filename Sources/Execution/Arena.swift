import Glibc
import Kernels

/// The memory in which a session's values live: it grows to the largest plan, in huge pages, and is kept between runs.
final class Arena {
    // The mapping belongs to this object alone; pointers into it are used only during a run of its session.
    private(set) var base: UnsafeMutableRawPointer?
    private(set) var byteCount = 0

    /// The alignment of values, in bytes.
    static let alignment = 64
    private static let hugePageByteCount = 1 << 21

    deinit { release() }

    /// Makes room for `needed` bytes and returns where they begin; what the arena held is lost when it grows.
    ///
    /// Throws when the system refuses.
    func reserve(_ needed: Int) throws(ExecutionError) -> UnsafeMutableRawPointer {
        if let base, byteCount >= needed { return base }
        release()
        let slack = FloatMemory.slack * MemoryLayout<Float>.stride
        let (rounded, overflow) = needed.addingReportingOverflow(slack + Self.hugePageByteCount)
        guard !overflow else { throw .outOfMemory(byteCount: needed) }
        let size = rounded / Self.hugePageByteCount * Self.hugePageByteCount + Self.hugePageByteCount
        guard let address = mmap(nil, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
            address != MAP_FAILED
        else { throw .outOfMemory(byteCount: needed) }
        madvise(address, size, MADV_HUGEPAGE)
        mapping = (address, size)
        // Values begin at a huge page, so that the kernel can back them with whole ones.
        let page = UInt(Self.hugePageByteCount)
        let start = (UInt(bitPattern: address) + page - 1) / page * page
        let base = address + Int(start - UInt(bitPattern: address))
        self.base = base
        byteCount = size - (base - address) - slack
        return base
    }

    private var mapping: (address: UnsafeMutableRawPointer, byteCount: Int)?

    private func release() {
        if let mapping { munmap(mapping.address, mapping.byteCount) }
        mapping = nil
        base = nil
        byteCount = 0
    }
}
