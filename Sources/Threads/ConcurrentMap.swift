/// One computation for each number of a range, on several threads.
package enum ConcurrentMap {
    /// The results of `body` for `0 ..< count`, in their order, computed on at most `threadCount` threads, the caller's
    /// among them; with one thread, or for one number, on the caller's alone.
    ///
    /// Threads are made for the call: worth it from some tens of microseconds a number on.
    package static func results<Result: Sendable>(
        count: Int, threadCount: Int, _ body: @Sendable (Int) -> Result
    ) -> [Result] {
        guard count > 1, threadCount > 1 else { return (0..<max(0, count)).map(body) }
        let progress = Lock(Progress<Result>(count: count))
        withoutActuallyEscaping(body) { body in
            let work: @Sendable () -> Void = {
                while let number = progress.withLock({ $0.claim() }) {
                    let result = body(number)
                    progress.withLock { $0.results[number] = result }
                }
            }
            let helpers = (1..<min(threadCount, count)).map { Thread(name: "helper-\($0)", work) }
            work()
            for helper in helpers { helper.join() }
        }
        return progress.withLock { progress in
            progress.results.map { result in
                guard let result else { preconditionFailure("a number was left out") }
                return result
            }
        }
    }

    private struct Progress<Result> {
        var results: [Result?]
        private var next = 0

        init(count: Int) { results = Array(repeating: nil, count: count) }

        mutating func claim() -> Int? {
            guard next < results.count else { return nil }
            defer { next += 1 }
            return next
        }
    }
}
