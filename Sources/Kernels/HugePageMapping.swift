import Glibc

/// Anonymous memory that begins at a huge page: the system zeroes its pages when they are first written, by whichever
/// thread writes them, and backs them with huge ones where it can.
package final class HugePageMapping: @unchecked Sendable {
    // The mapping belongs to this object alone; who writes the memory is the owner's affair.
    package let start: UnsafeMutableRawPointer
    /// Whole pages.
    package let byteCount: Int

    package static let hugePageByteCount = 1 << 21

    /// At least `byteCount` bytes; `nil` when the system has none.
    package init?(byteCount: Int) {
        precondition(byteCount > 0, "a mapping of \(byteCount) bytes")
        let page = Int(getpagesize())
        let (rounded, overflow) = byteCount.addingReportingOverflow(page - 1)
        let size = rounded / page * page
        let (mapped, isTooLarge) = size.addingReportingOverflow(Self.hugePageByteCount)
        guard !overflow, !isTooLarge,
            let address = mmap(nil, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
            address != MAP_FAILED
        else { return nil }
        // What lies before the first huge page and behind the last one goes back.
        let before = -Int(bitPattern: address) & (Self.hugePageByteCount - 1)
        if before > 0 { munmap(address, before) }
        munmap(address + before + size, Self.hugePageByteCount - before)
        start = address + before
        self.byteCount = size
        madvise(start, size, MADV_HUGEPAGE)
    }

    deinit { munmap(start, byteCount) }
}
