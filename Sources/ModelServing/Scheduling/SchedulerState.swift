/// What waits and what runs: every decision of the scheduler, made under its lock.
struct SchedulerState {
    /// What one worker computes at once.
    struct Run: Sendable {
        let queue: InferenceQueue
        let jobs: [InferenceJob]
        /// Found too late.
        let dropped: [InferenceJob]
        /// Whether it has one thread, others the rest; else all threads.
        let isNarrow: Bool
        /// Whether another may begin beside it.
        let leavesRoom: Bool
        fileprivate let slot: Int
        fileprivate let costNanoseconds: UInt64
    }

    enum Admission {
        case refused(ServingError)
        /// Whether a run may begin, and whether the timer has to look earlier than it would.
        case taken(canRun: Bool, isDue: Bool)
    }

    private let configuration: InferenceScheduler.Configuration
    /// Queues that hold requests.
    private(set) var active: [InferenceQueue] = []
    var isStopping = false
    private var pendingCount = 0
    /// What all that waits is expected to take.
    private var queuedNanoseconds: UInt64 = 0
    /// When the runs that are under way should end.
    private var slots: [UInt64?]
    /// Whether those that are under way are narrow; there is never a wide one beside a narrow one.
    private var isNarrow = false
    /// Where the model stood whose turn came last: one that had nothing to do until now begins there.
    private var virtualNanoseconds: UInt64 = 0
    /// When the timer looks next.
    private var timerNanoseconds = UInt64.max

    init(_ configuration: InferenceScheduler.Configuration) {
        self.configuration = configuration
        slots = Array(repeating: nil, count: max(configuration.runLimit, configuration.threadCount))
    }

    private var runningCount: Int { slots.count { $0 != nil } }

    /// Whether a run may begin beside those under way. The last narrow ones end before a wide one begins.
    private var hasRoom: Bool {
        guard runningCount > 0 else { return true }
        return isNarrow
            ? runningCount < configuration.threadCount && fullBatchCount > 0
            : runningCount < configuration.runLimit
    }

    /// Whether there is enough for all threads, where no run is under way.
    private var canBeginNarrow: Bool {
        configuration.threadCount > 1 && fullBatchCount >= configuration.threadCount
    }

    /// How many full batches wait.
    private var fullBatchCount: Int { active.reduce(0) { $0 + $1.fullBatchCount } }

    // MARK: Admission

    /// Takes a request in, unless it would wait too long or the queues are full.
    mutating func admit(
        _ job: InferenceJob, _ policy: BatchPolicy, at now: UInt64, watchAt: UInt64
    ) -> Admission {
        guard !isStopping else { return .refused(.stopping) }
        let queue = job.model.queue
        let wait = expectedWait(queue, level: job.level, itemCount: job.itemCount, at: now)
        if let error = refusal(of: job.model, wait: wait) ?? lateness(job, wait: wait) {
            return .refused(error)
        }
        var job = job
        job.costNanoseconds = queue.estimate.nanoseconds(itemCount: job.itemCount)
        queue.policy = policy
        if queue.count == 0 {
            queue.virtualNanoseconds = max(queue.virtualNanoseconds, virtualNanoseconds)
            active.append(queue)
        }
        queue.append(job)
        pendingCount += 1
        queuedNanoseconds &+= job.costNanoseconds
        let ripe = queue.ripeNanoseconds
        let canRun = ripe <= now && hasRoom
        // A request that is run at once needs nobody to look after it.
        let look = canRun && pendingCount == 1 ? .max : ripe > now ? min(ripe, watchAt) : watchAt
        let event = min(Self.expiry(job.deadlineNanoseconds), look)
        let isDue = event < timerNanoseconds
        if isDue { timerNanoseconds = event }
        return .taken(canRun: canRun, isDue: isDue)
    }

    /// Why no request for `model` is taken in now, whatever its priority.
    func refusal(of model: LoadedModel, at now: UInt64) -> ServingError? {
        refusal(of: model, wait: expectedWait(model.queue, level: 0, itemCount: 1, at: now))
    }

    private func refusal(of model: LoadedModel, wait: UInt64) -> ServingError? {
        if model.queue.count >= configuration.queueLimit {
            return Self.overloaded(
                model, "its queue holds \(configuration.queueLimit) requests", wait: wait)
        }
        if pendingCount >= configuration.totalQueueLimit {
            return Self.overloaded(
                model, "the server's queues hold \(configuration.totalQueueLimit) requests", wait: wait)
        }
        guard wait > configuration.maximumWaitNanoseconds else { return nil }
        return Self.overloaded(
            model,
            "a request would wait about \(Self.milliseconds(wait)) ms, at most "
                + "\(Self.milliseconds(configuration.maximumWaitNanoseconds)) ms are allowed", wait: wait)
    }

    private func lateness(_ job: InferenceJob, wait: UInt64) -> ServingError? {
        guard let timeout = job.request.timeoutMicroseconds, wait / 1000 > timeout else { return nil }
        return Self.overloaded(
            job.model, "the request would wait about \(Self.milliseconds(wait)) ms, its timeout is shorter",
            wait: wait)
    }

    private static func overloaded(_ model: LoadedModel, _ reason: String, wait: UInt64) -> ServingError {
        .overloaded(
            model: model.name, reason: reason, retryMilliseconds: Int(clamping: wait / 1_000_000 + 1))
    }

    private static func milliseconds(_ nanoseconds: UInt64) -> UInt64 {
        nanoseconds / 1_000_000 + (nanoseconds % 1_000_000 == 0 ? 0 : 1)
    }

    /// How long a request would wait: what its model has before it, as much of the other models', and the run under way.
    private func expectedWait(
        _ queue: InferenceQueue, level: Int, itemCount: Int, at now: UInt64
    ) -> UInt64 {
        let own = queue.nanoseconds(beforeLevel: level)
        let all = queue.nanoseconds(beforeLevel: InferenceRequest.priorityLevelCount - 1)
        let others = queuedNanoseconds > all ? queuedNanoseconds - all : 0
        let ends = slots.lazy.compactMap { $0 }
        let underway = hasRoom ? 0 : ends.reduce(.max) { least, end in min(least, end > now ? end - now : 0) }
        let share = own == 0 ? queue.estimate.nanoseconds(itemCount: itemCount) : own
        let shared = min(others, share &* UInt64(max(1, active.count)))
        return (own &+ shared) / UInt64(configuration.runLimit) &+ underway
    }

    // MARK: Runs

    /// The next batch, of the model that has had the least, when a run may begin.
    ///
    /// Where a full batch waits for every thread, each thread computes one by itself: threads that share a batch wait for
    /// each other at the end of every phase.
    mutating func nextRun(at now: UInt64) -> Run? {
        guard hasRoom, let slot = slots.firstIndex(where: { $0 == nil }) else { return nil }
        var chosen: Int?
        for index in active.indices {
            if let chosen, active[chosen].virtualNanoseconds <= active[index].virtualNanoseconds { continue }
            if isRipe(active[index], at: now) { chosen = index }
        }
        guard let chosen else { return nil }
        let queue = active[chosen]
        let isNarrow = queue.allowsNarrowRuns && (runningCount > 0 ? isNarrow : canBeginNarrow)
        guard runningCount == 0 || isNarrow == self.isNarrow else { return nil }
        var dropped: [InferenceJob] = []
        let jobs = queue.takeBatch(at: now, dropped: &dropped)
        if queue.count == 0 { active.remove(at: chosen) }
        var cost: UInt64 = 0
        for job in jobs { cost &+= job.costNanoseconds }
        forget(jobs)
        forget(dropped)
        virtualNanoseconds = max(virtualNanoseconds, queue.virtualNanoseconds)
        queue.virtualNanoseconds &+= cost
        slots[slot] = now &+ cost &* UInt64(isNarrow ? configuration.threadCount : 1)
        self.isNarrow = isNarrow
        let leavesRoom = hasRoom && active.contains { isRipe($0, at: now) }
        return Run(
            queue: queue, jobs: jobs, dropped: dropped, isNarrow: isNarrow, leavesRoom: leavesRoom,
            slot: slot,
            costNanoseconds: cost)
    }

    /// Frees the run's place, and charges the model what the run took. `itemCount`: 0 for a run that says nothing of others.
    mutating func finish(_ run: Run, itemCount: Int, nanoseconds: UInt64) {
        slots[run.slot] = nil
        // What it would have taken on all threads.
        let share = run.isNarrow ? nanoseconds / UInt64(configuration.threadCount) : nanoseconds
        run.queue.virtualNanoseconds = run.queue.virtualNanoseconds &- run.costNanoseconds &+ share
        if itemCount > 0 { run.queue.estimate.record(itemCount: itemCount, nanoseconds: share) }
    }

    private func isRipe(_ queue: InferenceQueue, at now: UInt64) -> Bool {
        isStopping || queue.ripeNanoseconds <= now
    }

    private mutating func forget(_ jobs: [InferenceJob]) {
        pendingCount -= jobs.count
        for job in jobs { queuedNanoseconds &-= job.costNanoseconds }
    }

    // MARK: Timer

    /// The first moment at which a request with this deadline is late.
    private static func expiry(_ deadline: UInt64) -> UInt64 { deadline == .max ? .max : deadline + 1 }

    /// Takes out what waits in vain; says how long the timer may sleep then, and whether a run may begin.
    mutating func watch(
        at now: UInt64, watchAt: UInt64
    ) -> (dead: [InferenceJob], wait: UInt64?, canRun: Bool) {
        var dead: [InferenceJob] = []
        for queue in active { queue.removeDead(at: now, into: &dead) }
        forget(dead)
        active.removeAll { $0.count == 0 }
        guard !active.isEmpty else {
            timerNanoseconds = .max
            return (dead, nil, false)
        }
        var next = watchAt
        var canRun = false
        for queue in active {
            next = min(next, Self.expiry(queue.nextDeadline))
            let ripe = queue.ripeNanoseconds
            if ripe > now { next = min(next, ripe) } else { canRun = hasRoom }
        }
        timerNanoseconds = next
        return (dead, next > now ? next - now : 0, canRun)
    }
}
