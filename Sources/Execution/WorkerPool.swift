import Glibc
import Kernels
import Synchronization
import Threads

/// Threads that run the tasks of a phase together with the caller.
///
/// Tasks are claimed one at a time by whoever is free. Several sessions may share a pool: while one uses it, the others run
/// their tasks alone, so there are never more threads than sessions and workers.
package final class WorkerPool: @unchecked Sendable {
    // `function` and `context` are written before `claim` publishes their job and read only by a thread that has claimed a
    // task of it; `run` returns only when every claimed task is finished.
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

    /// What a phase calls for each task, with the context that it was given and the number of the thread that runs the task
    /// (the caller's is 0).
    typealias Function = @convention(c) (_ context: UnsafeRawPointer, _ worker: Int, _ task: Int) -> Void

    /// Calls `function` once for each task, on at most `threadLimit` threads; allocates nothing.
    func run(taskCount: Int, threadLimit: Int, context: UnsafeRawPointer, _ function: Function) {
        guard taskCount > 1, threadLimit > 1, threadCount > 1, shared.acquire() else {
            for task in 0..<max(0, taskCount) { function(context, 0, task) }
            return
        }
        shared.runTogether(taskCount: taskCount, threadLimit: threadLimit, context: context, function)
        shared.release()
    }

    /// Calls `body` once for each task, with the number of the thread that runs it (the caller's is 0).
    package func run(
        taskCount: Int, threadLimit: Int = .max, _ body: (_ worker: Int, _ task: Int) -> Void
    ) {
        withoutActuallyEscaping(body) { body in
            withUnsafePointer(to: Body(call: body)) { context in
                run(taskCount: taskCount, threadLimit: threadLimit, context: context) { context, worker, task in
                    context.assumingMemoryBound(to: Body.self).pointee.call(worker, task)
                }
            }
        }
    }

    private struct Body {
        let call: (_ worker: Int, _ task: Int) -> Void
    }
}

/// What the threads of a pool share.
private final class Shared: @unchecked Sendable {
    /// The job's number in the upper half, its next task in the lower one: a task can only be claimed for the job whose
    /// number the claimer has read.
    let claim = Atomic<UInt64>(0)
    let taskCount = Atomic<UInt64>(0)
    /// Threads of this number or a greater one leave the job alone.
    let threadLimit = Atomic<Int>(0)
    let finished = Atomic<UInt64>(0)
    let isBusy = Atomic<Bool>(false)
    let isStopping = Atomic<Bool>(false)
    let sleeperCount = Atomic<Int>(0)
    let sleepers = Lock(Sleepers())
    var function: WorkerPool.Function = { _, _, _ in }
    var context = UnsafeRawPointer(bitPattern: 1)!

    struct Sleepers { var isStopping = false }

    func acquire() -> Bool {
        isBusy.compareExchange(expected: false, desired: true, ordering: .sequentiallyConsistent).exchanged
    }

    func release() { isBusy.store(false, ordering: .sequentiallyConsistent) }

    func runTogether(
        taskCount count: Int, threadLimit limit: Int, context: UnsafeRawPointer,
        _ function: WorkerPool.Function
    ) {
        let total = UInt64(min(count, Int(UInt32.max)))
        precondition(Int(total) == count, "a phase of \(count) tasks")
        self.function = function
        self.context = context
        let job = (claim.load(ordering: .relaxed) >> 32) + 1
        // While the counts change, the old job's number leaves nothing to claim.
        finished.store(0, ordering: .relaxed)
        claim.store((job & 0xffff_ffff) << 32 | 0xffff_ffff, ordering: .sequentiallyConsistent)
        taskCount.store(total, ordering: .sequentiallyConsistent)
        threadLimit.store(limit, ordering: .sequentiallyConsistent)
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
    }

    /// Claims tasks until none is left.
    func runTasks(worker: Int) {
        while true {
            let word = claim.load(ordering: .acquiring)
            let task = word & 0xffff_ffff
            guard task < taskCount.load(ordering: .acquiring),
                worker < threadLimit.load(ordering: .acquiring)
            else { return }
            let (exchanged, _) = claim.compareExchange(
                expected: word, desired: word + 1, ordering: .acquiringAndReleasing)
            guard exchanged else { continue }
            function(context, worker, Int(task))
            finished.add(1, ordering: .acquiringAndReleasing)
        }
    }

    func hasWork(_ worker: Int) -> Bool {
        let task = claim.load(ordering: .sequentiallyConsistent) & 0xffff_ffff
        return task < taskCount.load(ordering: .sequentiallyConsistent)
            && worker < threadLimit.load(ordering: .sequentiallyConsistent)
    }

    func work(_ worker: Int) {
        var spins = 0
        while !isStopping.load(ordering: .relaxed) {
            if hasWork(worker) {
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
            sleepers.wait { state in state.isStopping || hasWork(worker) ? () : nil }
            sleeperCount.subtract(1, ordering: .sequentiallyConsistent)
        }
    }
}
