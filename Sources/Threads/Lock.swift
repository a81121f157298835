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
        pthread_cond_init(changed, nil)
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

    package func notifyOne() { pthread_cond_signal(changed) }

    package func notifyAll() { pthread_cond_broadcast(changed) }
}
