import Glibc
import Kernels
import Synchronization
import Threads

/// Threads that run the tasks of a phase together with the caller.
///
/// Tasks are claimed one at a time by whoever is free. Several sessions may share a pool: while one uses it, the others run
/// their tasks alone, so there are never more threads than sessions and workers.
package final class WorkerPool: @unchecked Sendable {
    // `body` is written before `claim` publishes its job and read only by a thread that has claimed a task of it;
    // `run` returns only when every claimed task is finished.
    package let threadCount: Int
    private let shared = Shared()
    private var threads: [Thread] = []

    /// How often an idle worker looks for work before it sleeps: some tens of microseconds.
    fileprivate static let spinCount = 4_000

    /// `threadCount`: the caller's thread included.
    package init(threadCount: Int) {
        self.threadCount = max(1, threadCount)
        for worker in 1..<max(1, self.threadCount) {
            threads.append(Thread(name: "worker-\(worker)") { [shared] in shared.work(worker) })
        }
    }

    deinit {
        shared.sleepers.withLock { $0.isStopping = true }
        shared.isStopping.store(true, ordering: .sequentiallyConsistent)
        shared.sleepers.notifyAll()
        for thread in threads { thread.join() }
    }

    /// Calls `body` once for each task, with the number of the thread that runs it (the caller's is 0).
    package func run(taskCount: Int, _ body: (_ worker: Int, _ task: Int) -> Void) {
        guard threadCount > 1, taskCount > 1, shared.acquire() else {
            for task in 0..<max(0, taskCount) { body(0, task) }
            return
        }
        withoutActuallyEscaping(body) { body in
            shared.runTogether(taskCount: taskCount, body)
        }
        shared.release()
    }
}

/// What the threads of a pool share.
private final class Shared: @unchecked Sendable {
    typealias Body = (_ worker: Int, _ task: Int) -> Void

    /// The job's number in the upper half, its next task in the lower one: a task can only be claimed for the job whose
    /// number the claimer has read.
    let claim = Atomic<UInt64>(0)
    let taskCount = Atomic<UInt64>(0)
    let finished = Atomic<UInt64>(0)
    let isBusy = Atomic<Bool>(false)
    let isStopping = Atomic<Bool>(false)
    let sleeperCount = Atomic<Int>(0)
    let sleepers = Lock(Sleepers())
    var body: Body?

    struct Sleepers { var isStopping = false }

    func acquire() -> Bool {
        isBusy.compareExchange(expected: false, desired: true, ordering: .sequentiallyConsistent).exchanged
    }

    func release() { isBusy.store(false, ordering: .sequentiallyConsistent) }

    func runTogether(taskCount count: Int, _ body: @escaping Body) {
        let total = UInt64(min(count, Int(UInt32.max)))
        precondition(Int(total) == count, "a phase of \(count) tasks")
        self.body = body
        let job = (claim.load(ordering: .relaxed) >> 32) + 1
        // While the counts change, the old job's number leaves nothing to claim.
        finished.store(0, ordering: .relaxed)
        claim.store((job & 0xffff_ffff) << 32 | 0xffff_ffff, ordering: .sequentiallyConsistent)
        taskCount.store(total, ordering: .sequentiallyConsistent)
        claim.store((job & 0xffff_ffff) << 32, ordering: .sequentiallyConsistent)
        if sleeperCount.load(ordering: .sequentiallyConsistent) > 0 {
            sleepers.withLock { _ in }
            sleepers.notifyAll()
        }
        runTasks(worker: 0)
        // Tasks that others have claimed are under way: they are short.
        var spins = 0
        while finished.load(ordering: .acquiring) < total {
            spins += 1
            if spins > WorkerPool.spinCount { sched_yield() }
            Spinning.pause()
        }
        self.body = nil
    }

    /// Claims tasks until none is left.
    func runTasks(worker: Int) {
        while true {
            let word = claim.load(ordering: .acquiring)
            let task = word & 0xffff_ffff
            guard task < taskCount.load(ordering: .acquiring) else { return }
            let (exchanged, _) = claim.compareExchange(
                expected: word, desired: word + 1, ordering: .acquiringAndReleasing)
            guard exchanged else { continue }
            call(worker, Int(task))
            finished.add(1, ordering: .acquiringAndReleasing)
        }
    }

    /// Runs one task. Not inlined: every reference to the body is gone when this returns, so that none outlives `run`.
    @inline(never)
    private func call(_ worker: Int, _ task: Int) { body?(worker, task) }

    var hasWork: Bool {
        let task = claim.load(ordering: .sequentiallyConsistent) & 0xffff_ffff
        return task < taskCount.load(ordering: .sequentiallyConsistent)
    }

    func work(_ worker: Int) {
        var spins = 0
        while !isStopping.load(ordering: .relaxed) {
            if hasWork {
                runTasks(worker: worker)
                spins = 0
                continue
            }
            spins += 1
            guard spins > WorkerPool.spinCount else {
                Spinning.pause()
                continue
            }
            spins = 0
            sleeperCount.add(1, ordering: .sequentiallyConsistent)
            sleepers.wait { state in state.isStopping || hasWork ? () : nil }
            sleeperCount.subtract(1, ordering: .sequentiallyConsistent)
        }
    }
}
