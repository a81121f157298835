import Threads

/// A value that is made on a worker when it is first asked for, and then kept.
package final class DeferredValue<Value: Sendable>: Sendable {
    private enum State {
        case untouched
        case underway([@Sendable (Value) -> Void])
        case made(Value)
    }

    /// Callers that may wait for the value at once.
    package static var maximumWaiterCount: Int { 1024 }

    private let state = Lock(State.untouched)
    private let make: @Sendable () -> Value

    package init(make: @escaping @Sendable () -> Value) { self.make = make }

    /// Calls `completion` with the value: at once when it is there, else from `worker`.
    ///
    /// Throws, and calls nothing, when the worker takes no more work or too many wait.
    package func get(
        on worker: WorkerQueue, completion: @escaping @Sendable (Value) -> Void
    ) throws(ServingError) {
        let made = try state.withLock { (state) throws(ServingError) -> Value? in
            switch state {
            case .made(let value): return value
            case .untouched:
                // Under the lock, so that nobody joins work that was refused.
                try worker.submit { [self] in finish() }
                state = .underway([completion])
            case .underway(let waiters):
                guard waiters.count < Self.maximumWaiterCount else { throw .busy(what: worker.name) }
                state = .underway(waiters + [completion])
            }
            return nil
        }
        if let made { completion(made) }
    }

    private func finish() {
        let value = make()
        let waiters = state.withLock { state -> [@Sendable (Value) -> Void] in
            defer { state = .made(value) }
            if case .underway(let waiters) = state { return waiters }
            return []
        }
        for waiter in waiters { waiter(value) }
    }
}
