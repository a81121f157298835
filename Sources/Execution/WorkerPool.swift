import Glibc
import Kernels
import Synchronization
import Threads

/// Threads that run the tasks of a phase together with the caller.
///
/// Every thread has a share of the tasks and claims them one at a time, then those that are left of the others'. Several
/// sessions may share a pool: while one uses it, the others run their tasks alone, so there are never more threads than
/// sessions and workers.
package final class WorkerPool: @unchecked Sendable {
    // `function` and `context` are written before the shares publish their job and read only by a thread that has claimed a
    // task of it; `run` returns only when every claimed task is finished.
    package let threadCount: Int
    private let shared: Shared
    private var threads: [Thread] = []

    /// How often an idle worker looks for work before it sleeps: some tens of microseconds.
    fileprivate static let spinCount = 4_000

    /// The caller's thread alone.
    package static let callerOnly = WorkerPool(threadCount: 1)

    /// `threadCount`: the caller's thread included.
    package init(threadCount: Int) {
        self.threadCount = max(1, threadCount)
        shared = Shared(threadCount: self.threadCount)
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
                run(taskCount: taskCount, threadLimit: threadLimit, context: context) {
                    context, worker, task in
                    context.assumingMemoryBound(to: Body.self).pointee.call(worker, task)
                }
            }
        }
    }

    /// Packs weights on these threads.
    package var packing: PanelPacking {
        PanelPacking(threadCount: threadCount) { [self] count, part in
            run(taskCount: count) { _, number in part(number) }
        }
    }

    private struct Body {
        let call: (_ worker: Int, _ task: Int) -> Void
    }
}

/// The tasks of a phase that one thread begins with; others take of them when they have finished their own.
private struct Share: ~Copyable {
    /// The job's number in the upper half, the next task's place in the share in the lower one: a task can only be claimed
    /// for the job whose number the claimer has read.
    let next = Atomic<UInt64>(0)
    /// Keeps shares on cache lines of their own.
    private let padding: (UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0, 0, 0, 0)
}

/// What the threads of a pool have in common.
private final class Shared: @unchecked Sendable {
    /// One a thread. Equal parts of the tasks in their order: a thread works on the same part of an image, or on the same
    /// channels, from one phase to the next, and finds them in its own cache.
    private let shares: UnsafeMutablePointer<Share>
    private let shareCapacity: Int
    let taskCount = Atomic<UInt64>(0)
    /// The shares of this job; threads of this number or a greater one leave it alone.
    let shareCount = Atomic<Int>(1)
    let finished = Atomic<UInt64>(0)
    let isBusy = Atomic<Bool>(false)
    let isStopping = Atomic<Bool>(false)
    let sleeperCount = Atomic<Int>(0)
    let sleepers = Lock(Sleepers())
    var function: WorkerPool.Function = { _, _, _ in }
    var context = UnsafeRawPointer(bitPattern: 1)!

    struct Sleepers { var isStopping = false }

    private static let closed: UInt64 = 0xffff_ffff

    init(threadCount: Int) {
        shareCapacity = threadCount
        shares = .allocate(capacity: threadCount)
        for index in 0..<threadCount { (shares + index).initialize(to: Share()) }
    }

    deinit {
        shares.deinitialize(count: shareCapacity)
        shares.deallocate()
    }

    func acquire() -> Bool {
        isBusy.compareExchange(expected: false, desired: true, ordering: .sequentiallyConsistent).exchanged
    }

    func release() { isBusy.store(false, ordering: .sequentiallyConsistent) }

    func runTogether(
        taskCount count: Int, threadLimit limit: Int, context: UnsafeRawPointer,
        _ function: WorkerPool.Function
    ) {
        let total = UInt64(min(count, Int(UInt32.max) - 1))
        precondition(Int(total) == count, "a phase of \(count) tasks")
        self.function = function
        self.context = context
        let job = (shares.pointee.next.load(ordering: .relaxed) >> 32 + 1) & Self.closed
        // While the counts change, nothing can be claimed.
        for index in 0..<shareCapacity {
            shares[index].next.store(job << 32 | Self.closed, ordering: .sequentiallyConsistent)
        }
        finished.store(0, ordering: .relaxed)
        taskCount.store(total, ordering: .sequentiallyConsistent)
        let shareCount = min(limit, shareCapacity, count)
        self.shareCount.store(shareCount, ordering: .sequentiallyConsistent)
        for index in 0..<shareCount { shares[index].next.store(job << 32, ordering: .sequentiallyConsistent) }
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

    /// Claims tasks until none is left: of the thread's own share first, then of those behind it.
    func runTasks(worker: Int) {
        let count = shareCount.load(ordering: .acquiring)
        guard worker < count else { return }
        var finishedCount: UInt64 = 0
        for offset in 0..<count {
            let share = worker + offset < count ? worker + offset : worker + offset - count
            while let task = claim(share) {
                function(context, worker, task)
                finishedCount += 1
            }
        }
        if finishedCount > 0 { finished.add(finishedCount, ordering: .acquiringAndReleasing) }
    }

    /// The next task of a share.
    private func claim(_ share: Int) -> Int? {
        while true {
            let word = shares[share].next.load(ordering: .acquiring)
            guard let task = task(share, word & Self.closed) else { return nil }
            let (exchanged, _) = shares[share].next.compareExchange(
                expected: word, desired: word + 1, ordering: .acquiringAndReleasing)
            if exchanged { return task }
        }
    }

    /// The task at a place of a share, if it has so many.
    private func task(_ share: Int, _ place: UInt64) -> Int? {
        let total = taskCount.load(ordering: .acquiring)
        let count = UInt64(shareCount.load(ordering: .acquiring))
        guard UInt64(share) < count else { return nil }
        let start = total * UInt64(share) / count
        let end = total * UInt64(share + 1) / count
        return place < end - start ? Int(start + place) : nil
    }

    func hasWork(_ worker: Int) -> Bool {
        let count = shareCount.load(ordering: .sequentiallyConsistent)
        guard worker < count else { return false }
        return (0..<count).contains { share in
            task(share, shares[share].next.load(ordering: .sequentiallyConsistent) & Self.closed) != nil
        }
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
