import Glibc

/// A value behind a mutual-exclusion lock; waiting for the value to change is part of it.
///
/// A `pthread_mutex_t` at a stable address: ThreadSanitizer reports false races on `Synchronization.Mutex` on Linux.
package final class Lock<Value>: @unchecked Sendable {
    // `value` is touched only between lock and unlock of `mutex`, whose address never changes.
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private let changed: UnsafeMutablePointer<pthread_cond_t>
    private var value: Value

    package init(_ value: Value) {
        self.value = value
        mutex = .allocate(capacity: 1)
        mutex.initialize(to: pthread_mutex_t())
        pthread_mutex_init(mutex, nil)
        changed = .allocate(capacity: 1)
        changed.initialize(to: pthread_cond_t())
        var attributes = pthread_condattr_t()
        pthread_condattr_init(&attributes)
        // A wait of some length must not depend on who sets the wall clock.
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        pthread_cond_init(changed, &attributes)
        pthread_condattr_destroy(&attributes)
    }

    deinit {
        pthread_cond_destroy(changed)
        pthread_mutex_destroy(mutex)
        changed.deallocate()
        mutex.deallocate()
    }

    /// Runs `body` with the value while holding the lock. Not recursive.
    package func withLock<Result, Failure: Error>(
        _ body: (inout Value) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return try body(&value)
    }

    /// Blocks until `body` returns a result; `body` runs at once and then after every `notifyAll` or `notifyOne`.
    package func wait<Result>(until body: (inout Value) -> Result?) -> Result {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        while true {
            if let result = body(&value) { return result }
            pthread_cond_wait(changed, mutex)
        }
    }

    /// The same, for at most so many nanoseconds: `nil` when they have passed without a result. `nil` of them: no bound.
    package func wait<Result>(nanoseconds: UInt64?, until body: (inout Value) -> Result?) -> Result? {
        guard let nanoseconds else { return wait(until: body) }
        var end = timespec()
        clock_gettime(CLOCK_MONOTONIC, &end)
        let sum = UInt64(end.tv_nsec) + nanoseconds % 1_000_000_000
        // Whole centuries are as good as any other number of them.
        end.tv_sec += Int(min(nanoseconds / 1_000_000_000 + sum / 1_000_000_000, 1 << 33))
        end.tv_nsec = Int(sum % 1_000_000_000)
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        while true {
            if let result = body(&value) { return result }
            if pthread_cond_timedwait(changed, mutex, &end) == ETIMEDOUT { return body(&value) }
        }
    }

    package func notifyOne() { pthread_cond_signal(changed) }

    package func notifyAll() { pthread_cond_broadcast(changed) }
}
