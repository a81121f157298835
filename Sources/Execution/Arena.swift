import Kernels

/// The memory in which a session's values live: it grows to the largest plan, in huge pages, and is kept between runs.
final class Arena {
    // Pointers into the mapping are used only during a run of its session.
    private var mapping: HugePageMapping?

    /// The alignment of values, in bytes.
    static let alignment = 64
    private static let slackByteCount = FloatMemory.slack * MemoryLayout<Float>.stride

    var base: UnsafeMutableRawPointer? { mapping?.start }
    /// What values may take of it.
    var byteCount: Int { mapping.map { $0.byteCount - Self.slackByteCount } ?? 0 }

    /// Makes room for `needed` bytes and returns where they begin; what the arena held is lost when it grows.
    ///
    /// Throws when the system refuses.
    func reserve(_ needed: Int) throws(ExecutionError) -> UnsafeMutableRawPointer {
        if let base, byteCount >= needed { return base }
        mapping = nil
        let whole = HugePageMapping.hugePageByteCount
        let (rounded, overflow) = needed.addingReportingOverflow(Self.slackByteCount + whole - 1)
        guard !overflow, let mapping = HugePageMapping(byteCount: rounded / whole * whole) else {
            throw .outOfMemory(byteCount: needed)
        }
        self.mapping = mapping
        return mapping.start
    }
}
