import Glibc

/// A point on the monotonic clock, in nanoseconds.
struct MonotonicTime: Comparable, Sendable {
    let nanoseconds: UInt64

    static let never = MonotonicTime(nanoseconds: .max)

    static func < (left: Self, right: Self) -> Bool { left.nanoseconds < right.nanoseconds }

    /// Saturates: an endless time-out is never.
    static func + (time: Self, seconds: Double) -> Self {
        let (sum, overflow) = time.nanoseconds.addingReportingOverflow(UInt64(clamping: seconds * 1e9))
        return overflow ? .never : MonotonicTime(nanoseconds: sum)
    }

    func seconds(since earlier: Self) -> Double {
        nanoseconds <= earlier.nanoseconds ? 0 : Double(nanoseconds - earlier.nanoseconds) / 1e9
    }
}

extension UInt64 {
    fileprivate init(clamping seconds: Double) {
        self = seconds > 0 ? (seconds < 9e18 ? UInt64(seconds) : .max) : 0
    }
}

/// Reads the time. A loop reads it once a turn; tests bring their own.
protocol Clock: Sendable {
    func now() -> MonotonicTime
    /// Seconds since 1970, for the date field.
    func secondsSinceEpoch() -> Int
}

struct SystemClock: Clock {
    func now() -> MonotonicTime {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return MonotonicTime(nanoseconds: UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec))
    }

    func secondsSinceEpoch() -> Int { time(nil) }
}
