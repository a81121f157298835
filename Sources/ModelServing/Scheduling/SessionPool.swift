import Execution
import Tensors
import Threads

/// The sessions of one model: as many as ever ran at once, made when needed and kept.
package final class SessionPool: Sendable {
    private let executable: Executable
    private let workers: WorkerPool
    private let idle = Lock<[Idle]>([])

    /// All sessions share the threads of `workers`.
    package init(executable: Executable, workers: WorkerPool) {
        self.executable = executable
        self.workers = workers
    }

    /// Runs the network in a session that nobody else uses meanwhile.
    package func run(_ inputs: [String: Tensor]) throws(ExecutionError) -> [String: Tensor] {
        let session = idle.withLock { $0.popLast() } ?? Idle(Session(executable, pool: workers))
        defer { idle.withLock { $0.append(session) } }
        return try session.session.run(inputs)
    }

    /// A session in nobody's hands.
    private struct Idle: @unchecked Sendable {
        // A session is taken out of the pool under its lock before it is used: one thread has it at a time.
        let session: Session
        init(_ session: Session) { self.session = session }
    }
}
