/// Lets a burst through and then a steady rate.
struct TokenBucket {
    private let burst: Double
    private let perSecond: Double
    private var tokens: Double
    private var filledAt: MonotonicTime

    init(burst: Int, perSecond: Int, now: MonotonicTime) {
        self.burst = Double(burst)
        self.perSecond = Double(perSecond)
        tokens = Double(burst)
        filledAt = now
    }

    /// Takes one, or returns false when none is left.
    mutating func take(now: MonotonicTime) -> Bool {
        tokens = min(burst, tokens + now.seconds(since: filledAt) * perSecond)
        filledAt = max(filledAt, now)
        guard tokens >= 1 else { return false }
        tokens -= 1
        return true
    }
}
