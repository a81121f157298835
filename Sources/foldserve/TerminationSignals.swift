import Glibc

/// SIGTERM, SIGINT and SIGHUP, received where the program waits for them instead of in a handler.
struct TerminationSignals {
    private let set: sigset_t

    /// Blocks the signals in this thread and in all that it starts afterwards.
    init() {
        var set = sigset_t()
        sigemptyset(&set)
        sigaddset(&set, SIGTERM)
        sigaddset(&set, SIGINT)
        sigaddset(&set, SIGHUP)
        pthread_sigmask(SIG_BLOCK, &set, nil)
        self.set = set
    }

    /// Blocks until one of the first two arrives; calls `hangUp` for the third.
    func wait(hangUp: () -> Void) -> String {
        var set = set
        while true {
            var signal: Int32 = 0
            guard sigwait(&set, &signal) == 0 else { continue }
            guard signal == SIGHUP else { return signal == SIGINT ? "SIGINT" : "SIGTERM" }
            hangUp()
        }
    }
}
