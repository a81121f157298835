import Threads

/// Shares out the panels of a layer's weights to the threads that pack them.
package struct PanelPacking: Sendable {
    private let threadCount: Int
    private let call: @Sendable (_ count: Int, _ part: (Int) -> Void) -> Void

    /// Fewer floats are packed before another thread has begun: 64 KiB.
    private static let minimumFloatCount = 1 << 14

    /// On the caller's thread alone.
    package static let callerOnly = PanelPacking(threadCount: 1) { count, part in
        for number in 0..<count { part(number) }
    }

    /// `call` calls its second argument once for each number below the first, on at most `threadCount` threads.
    package init(
        threadCount: Int, call: @escaping @Sendable (_ count: Int, _ part: (Int) -> Void) -> Void
    ) {
        self.threadCount = threadCount
        self.call = call
    }

    /// Calls `pack` for ranges that make up `0 ..< panelCount`; whether all returned true.
    func run(panelCount: Int, floatCount: Int, _ pack: (Range<Int>) -> Bool) -> Bool {
        let parts = floatCount < Self.minimumFloatCount ? 1 : max(1, min(threadCount, panelCount))
        guard parts > 1 else { return pack(0..<panelCount) }
        let arePacked = Lock(true)
        call(parts) { part in
            if !pack(panelCount * part / parts..<panelCount * (part + 1) / parts) {
                arePacked.withLock { $0 = false }
            }
        }
        return arePacked.withLock(\.self)
    }
}
