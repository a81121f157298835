import Threads

/// Shares out the panels of a layer's weights to the threads that pack them.
enum PanelPacking {
    /// Fewer floats are packed before another thread has begun: 1 MiB.
    private static let minimumFloatCount = 1 << 18

    /// Calls `pack` for ranges that make up `0 ..< panelCount`, on at most `threadCount` threads; whether all returned true.
    static func run(
        panelCount: Int, floatCount: Int, threadCount: Int, _ pack: @Sendable (Range<Int>) -> Bool
    ) -> Bool {
        let parts = floatCount < minimumFloatCount ? 1 : max(1, min(threadCount, panelCount))
        return ConcurrentMap.results(count: parts, threadCount: parts) { part in
            pack(panelCount * part / parts..<panelCount * (part + 1) / parts)
        }.allSatisfy(\.self)
    }
}
