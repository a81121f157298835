import Glibc

/// Nanoseconds that never go back, and the wall clock beside them; a test passes its own.
package struct MonotonicClock: Sendable {
    package let nanoseconds: @Sendable () -> UInt64
    package let wallMilliseconds: @Sendable () -> UInt64

    package init(
        nanoseconds: @escaping @Sendable () -> UInt64, wallMilliseconds: @escaping @Sendable () -> UInt64
    ) {
        self.nanoseconds = nanoseconds
        self.wallMilliseconds = wallMilliseconds
    }

    package static var system: MonotonicClock {
        MonotonicClock(
            nanoseconds: {
                let time = read(CLOCK_MONOTONIC)
                return UInt64(time.tv_sec) &* 1_000_000_000 &+ UInt64(time.tv_nsec)
            },
            wallMilliseconds: {
                let time = read(CLOCK_REALTIME)
                return UInt64(max(0, time.tv_sec)) &* 1000 &+ UInt64(time.tv_nsec / 1_000_000)
            })
    }

    private static func read(_ clock: clockid_t) -> timespec {
        var time = timespec()
        clock_gettime(clock, &time)
        return time
    }
}
