import Execution
import Synchronization
import Tensors
import Threads

/// The sessions of one model: as many as ever ran at once, made when needed and kept.
package final class SessionPool: Sendable {
    private let executable: Executable
    private let workers: WorkerPool
    private let idle = Lock<[Idle]>([])
    private let arenaBytes = Atomic<Int>(0)

    /// All sessions share the threads of `workers`.
    package init(executable: Executable, workers: WorkerPool) {
        self.executable = executable
        self.workers = workers
    }

    /// Runs the network in a session that nobody else uses meanwhile, on the shared threads or on the caller's alone.
    package func run(
        _ inputs: [String: Tensor], isNarrow: Bool = false
    ) throws(ExecutionError) -> [String: Tensor] {
        let session = idle.withLock { $0.popLast() } ?? Idle(Session(executable, pool: workers))
        session.session.pool = isNarrow ? .callerOnly : workers
        let before = session.session.arenaByteCount
        defer {
            arenaBytes.add(session.session.arenaByteCount - before, ordering: .relaxed)
            idle.withLock { $0.append(session) }
        }
        return try session.session.run(inputs)
    }

    /// The memory in which all sessions' values live.
    package var arenaByteCount: Int { arenaBytes.load(ordering: .relaxed) }

    /// A session in nobody's hands.
    private struct Idle: @unchecked Sendable {
        // A session is taken out of the pool under its lock before it is used: one thread has it at a time.
        let session: Session
        init(_ session: Session) { self.session = session }
    }
}
