import Glibc

/// SIGTERM and SIGINT, received where the program waits for them instead of in a handler.
struct TerminationSignals {
    private let set: sigset_t

    /// Blocks the signals in this thread and in all that it starts afterwards.
    init() {
        var set = sigset_t()
        sigemptyset(&set)
        sigaddset(&set, SIGTERM)
        sigaddset(&set, SIGINT)
        pthread_sigmask(SIG_BLOCK, &set, nil)
        self.set = set
    }

    /// Blocks until one of them arrives.
    func wait() -> String {
        var set = set
        var signal: Int32 = 0
        while sigwait(&set, &signal) != 0 {}
        return signal == SIGINT ? "SIGINT" : "SIGTERM"
    }
}
