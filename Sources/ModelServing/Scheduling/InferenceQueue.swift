import Synchronization

/// The requests of one model that wait. Only the scheduler touches them, under its own lock.
final class InferenceQueue: @unchecked Sendable {
    // Everything but `pendingCount` is read and written only under the scheduler's lock.
    private var levels = [Fifo<InferenceJob>](repeating: Fifo(), count: InferenceRequest.priorityLevelCount)
    /// What the requests of each level are expected to take.
    private var costs = [UInt64](repeating: 0, count: InferenceRequest.priorityLevelCount)
    private(set) var count = 0
    private var itemCount = 0
    private var turnCount = 0
    /// The computing that the model has had, in the scheduler's virtual time.
    var virtualNanoseconds: UInt64 = 0
    var estimate = RunEstimate()
    var policy = BatchPolicy()
    /// How many requests wait, for metrics: read without the lock.
    let pendingCount = Atomic<Int>(0)
    /// Whether there is memory for a run on every thread.
    let allowsNarrowRuns: Bool

    /// In every so many turns the one that came first leads, whatever its priority: nobody waits for ever.
    private static let turnsOfAge = 4
    /// Waiting requests that are looked at for a batch; each is only compared.
    private static let maximumScanCount = 1024

    init(allowsNarrowRuns: Bool) { self.allowsNarrowRuns = allowsNarrowRuns }

    func append(_ job: InferenceJob) {
        levels[job.level].append(job)
        costs[job.level] &+= job.costNanoseconds
        itemCount += job.itemCount
        setCount(count + 1)
    }

    /// Runs that would be full with what waits.
    var fullBatchCount: Int { min(count, itemCount / policy.maximumItemCount) }

    /// What is to be run before a request that comes now.
    func nanoseconds(beforeLevel level: Int) -> UInt64 { costs[...level].reduce(0, &+) }

    /// What goes into one run; `dropped` gets those that were found too late on the way.
    func takeBatch(at now: UInt64, dropped: inout [InferenceJob]) -> [InferenceJob] {
        turnCount &+= 1
        var jobs: [InferenceJob] = []
        while jobs.isEmpty, let level = nextLevel(), let head = levels[level].popFirst() {
            forget(head)
            if head.isExpired(at: now) { dropped.append(head) } else { jobs.append(head) }
        }
        guard let head = jobs.first, head.isJoinable else { return jobs }
        var items = head.itemCount
        for level in levels.indices where items < policy.maximumItemCount && !levels[level].isEmpty {
            levels[level].take(scanCount: Self.maximumScanCount) { job in
                if job.isExpired(at: now) {
                    dropped.append(job)
                } else if items + job.itemCount <= policy.maximumItemCount, head.canJoin(job) {
                    items += job.itemCount
                    jobs.append(job)
                } else {
                    return false
                }
                forget(job)
                return true
            }
        }
        return jobs
    }

    /// Takes out what would answer nobody or too late.
    func removeDead(at now: UInt64, into dead: inout [InferenceJob]) {
        for level in levels.indices where !levels[level].isEmpty {
            levels[level].take { job in
                guard job.isExpired(at: now) || job.request.isAbandoned() else { return false }
                dead.append(job)
                forget(job)
                return true
            }
        }
    }

    /// The first moment at which a waiting request expires.
    var nextDeadline: UInt64 {
        var next = UInt64.max
        for level in levels.indices where !levels[level].isEmpty {
            levels[level].forEach { next = min(next, $0.deadlineNanoseconds) }
        }
        return next
    }

    /// When the next batch may begin: at once when it is full, else when its oldest request was held back long enough.
    var ripeNanoseconds: UInt64 {
        guard policy.queueDelayMicroseconds > 0, itemCount < policy.maximumItemCount else { return 0 }
        var oldest = UInt64.max
        for level in levels {
            guard let job = level.first else { continue }
            guard job.isJoinable else { return 0 }
            oldest = min(oldest, job.enqueuedNanoseconds)
        }
        let delay = policy.queueDelayMicroseconds &* 1000
        return oldest > .max - delay ? oldest : oldest + delay
    }

    /// The highest level that holds a request, or the one with the oldest.
    private func nextLevel() -> Int? {
        let filled = levels.indices.filter { !levels[$0].isEmpty }
        guard turnCount % Self.turnsOfAge == 0 else { return filled.first }
        return filled.min {
            (levels[$0].first?.enqueuedNanoseconds ?? .max) < (levels[$1].first?.enqueuedNanoseconds ?? .max)
        }
    }

    private func forget(_ job: InferenceJob) {
        costs[job.level] &-= job.costNanoseconds
        itemCount -= job.itemCount
        setCount(count - 1)
    }

    private func setCount(_ count: Int) {
        self.count = count
        pendingCount.store(count, ordering: .relaxed)
    }
}

/// How long runs of a model take, from those that were measured last.
struct RunEstimate {
    private(set) var nanosecondsPerItem = 0.0

    /// The weight of the latest run.
    private static let weight = 0.125

    mutating func record(itemCount: Int, nanoseconds: UInt64) {
        let measured = Double(nanoseconds) / Double(max(1, itemCount))
        let change = nanosecondsPerItem == 0 ? 1 : Self.weight
        nanosecondsPerItem += change * (measured - nanosecondsPerItem)
    }

    func nanoseconds(itemCount: Int) -> UInt64 {
        // Below 2^53: an absurd count of items costs no more than three months.
        UInt64(min(nanosecondsPerItem * Double(max(1, itemCount)), 0x1p53))
    }
}
