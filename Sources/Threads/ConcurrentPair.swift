/// Two computations, each on a thread.
package enum ConcurrentPair {
    /// The results of `first`, computed on the caller's thread, and of `second`, meanwhile on another where `threadCount`
    /// is more than 1, else after it.
    ///
    /// A thread is made for the call: worth it from some tens of microseconds on.
    package static func results<First, Second: Sendable>(
        threadCount: Int, _ first: () -> First, _ second: @Sendable () -> Second
    ) -> (First, Second) {
        guard threadCount > 1 else { return (first(), second()) }
        let result = Lock<Second?>(nil)
        return withoutActuallyEscaping(second) { second in
            let helper = Thread(name: "helper") {
                let made = second()
                result.withLock { $0 = made }
            }
            let own = first()
            helper.join()
            guard let made = result.withLock({ $0 }) else { preconditionFailure("a thread without a result") }
            return (own, made)
        }
    }
}
