import Threads

/// Threads for work that must not hold up a loop and is no inference: large bodies, measurements.
package final class WorkerQueue: Sendable {
    private struct State {
        var work = Fifo<@Sendable () -> Void>()
        var isStopping = false
        var threads: [Thread] = []
    }

    package let name: String
    private let limit: Int
    private let state = Lock(State())

    /// Starts `threadCount` threads; at most `limit` pieces of work wait for them.
    package init(name: String, threadCount: Int, limit: Int) {
        self.name = name
        self.limit = limit
        let threads = (0..<threadCount).map { index in
            Thread(name: "\(name)-\(index)") { [self] in while let work = next() { work() } }
        }
        state.withLock { $0.threads = threads }
    }

    /// Throws `busy` when too much waits already, `stopping` at the end.
    package func submit(_ work: @escaping @Sendable () -> Void) throws(ServingError) {
        let refusal = state.withLock { state -> ServingError? in
            guard !state.isStopping else { return .stopping }
            guard state.work.count < limit else { return .busy(what: name) }
            state.work.append(work)
            return nil
        }
        if let refusal { throw refusal }
        state.notifyOne()
    }

    /// Finishes what was taken and ends the threads. Not from one of them.
    package func stop() {
        let threads = state.withLock { state in
            state.isStopping = true
            defer { state.threads = [] }
            return state.threads
        }
        state.notifyAll()
        for thread in threads { thread.join() }
    }

    private func next() -> (@Sendable () -> Void)? {
        state.wait { state -> (@Sendable () -> Void)?? in
            if let work = state.work.popFirst() { return .some(work) }
            return state.isStopping ? .some(nil) : nil
        }
    }
}
