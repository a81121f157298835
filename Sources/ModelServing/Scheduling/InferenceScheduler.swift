import Execution
import Synchronization
import Tensors
import Threads

/// Runs requests in batches, each model's in the order in which they came, models by the time that they have had.
///
/// A batch is formed when a run may begin, of what waits then. Whoever submits never computes and never waits. A run is
/// wide, on all threads of the models' pool, or, where a full batch waits for each of them, narrow, on one.
package final class InferenceScheduler: Sendable {
    package struct Configuration: Sendable {
        /// Wide runs that are under way at once.
        package var runLimit: Int
        /// The threads of the pool on which the models run.
        package var threadCount: Int
        /// Threads of the scheduler: those that do not compute write answers.
        package var workerCount: Int
        /// Requests of one model that may wait; one more is refused with 503.
        package var queueLimit: Int
        /// Requests of all models that may wait.
        package var totalQueueLimit: Int
        /// Requests that would have to wait longer are refused.
        package var maximumWaitNanoseconds: UInt64
        /// For models whose own description says nothing.
        package var batching: BatchPolicy

        package init(
            runLimit: Int = 1, threadCount: Int = 1, workerCount: Int = 1, queueLimit: Int = 256,
            totalQueueLimit: Int = 1024, maximumWaitNanoseconds: UInt64 = .max,
            batching: BatchPolicy = BatchPolicy()
        ) {
            self.runLimit = runLimit
            self.threadCount = threadCount
            self.workerCount = workerCount
            self.queueLimit = queueLimit
            self.totalQueueLimit = totalQueueLimit
            self.maximumWaitNanoseconds = maximumWaitNanoseconds
            self.batching = batching
        }
    }

    package let configuration: Configuration
    private let clock: MonotonicClock
    private let state: Lock<SchedulerState>
    private let timer = Lock(Timer())
    private let threads = Lock<[Thread]>([])

    private struct Timer {
        var isDue = false
        var isStopping = false
    }

    /// How often waiting requests are asked whether anybody still wants their answer, at most.
    private static let watchNanoseconds: UInt64 = 20_000_000

    /// Starts the threads.
    package init(_ configuration: Configuration, clock: MonotonicClock) {
        precondition(
            configuration.workerCount > 0 && configuration.runLimit > 0 && configuration.threadCount > 0
                && configuration.queueLimit > 0 && configuration.totalQueueLimit > 0, "\(configuration)")
        self.configuration = configuration
        self.clock = clock
        state = Lock(SchedulerState(configuration))
        var threads = (0..<configuration.workerCount).map { index in
            Thread(name: "infer-\(index)") { [self] in while let run = nextRun() { perform(run) } }
        }
        threads.append(Thread(name: "queue-timer") { [self] in watch() })
        self.threads.withLock { $0 = threads }
    }

    /// How requests of `model` are gathered.
    package func batching(of model: LoadedModel) -> BatchPolicy {
        configuration.batching.overridden(by: model.description)
    }

    /// Queues a request; `completion` gets its outcome on a thread of the scheduler's.
    ///
    /// Throws `overloaded` or `stopping`, and never calls `completion` then.
    package func submit(
        _ request: InferenceRequest, to model: LoadedModel, completion: @escaping InferenceCompletion
    ) throws(ServingError) {
        let policy = batching(of: model)
        let now = clock.nanoseconds()
        let job = InferenceJob(
            request, for: model, policy: policy, nanoseconds: now, completion: completion)
        let outcome = state.withLock { state in
            state.admit(job, policy, at: now, watchAt: now &+ Self.watchNanoseconds)
        }
        switch outcome {
        case .refused(let error):
            model.statistics.recordFailure(.rejected, nanoseconds: 0)
            throw error
        case .taken(let canRun, let isDue):
            if canRun { state.notifyOne() }
            if isDue { wakeTimer() }
        }
    }

    /// Throws `overloaded` where no request for `model` would be taken in, whatever it holds: before its body is read.
    package func checkRoom(for model: LoadedModel) throws(ServingError) {
        let now = clock.nanoseconds()
        guard let error = state.withLock({ $0.refusal(of: model, at: now) }) else { return }
        model.statistics.recordFailure(.rejected, nanoseconds: 0)
        throw error
    }

    /// Requests of `model` that wait for a run.
    package func pendingCount(of model: LoadedModel) -> Int {
        model.queue.pendingCount.load(ordering: .relaxed)
    }

    /// Refuses new requests, finishes those that were taken and ends the threads. Not from one of them.
    package func stop() {
        let threads = threads.withLock { threads in
            defer { threads = [] }
            return threads
        }
        guard !threads.isEmpty else { return }
        state.withLock { $0.isStopping = true }
        state.notifyAll()
        for thread in threads.dropLast() { thread.join() }
        timer.withLock { $0.isStopping = true }
        timer.notifyAll()
        threads[threads.count - 1].join()
    }

    // MARK: Workers

    /// Blocks until a run may begin; `nil` once stopped and empty.
    private func nextRun() -> SchedulerState.Run? {
        state.wait { state -> SchedulerState.Run?? in
            if let run = state.nextRun(at: clock.nanoseconds()) { return .some(run) }
            return state.isStopping && state.active.isEmpty ? .some(nil) : nil
        }
    }

    private func perform(_ run: SchedulerState.Run) {
        if run.leavesRoom { state.notifyOne() }
        for job in run.dropped { fail(job, .timedOut(model: job.model.name)) }
        let start = clock.nanoseconds()
        let jobs = run.jobs.filter { job in
            guard job.request.isAbandoned() else { return true }
            fail(job, .abandoned)
            return false
        }
        let results = InferenceRun.results(of: jobs, isNarrow: run.isNarrow, clock: clock)
        let end = clock.nanoseconds()
        // A failed run may be shorter or longer than others.
        let isMeasured = results.allSatisfy { if case .success = $0.outputs { true } else { false } }
        let itemCount = isMeasured ? jobs.reduce(0) { $0 + $1.itemCount } : 0
        let isStopping = state.withLock { state in
            state.finish(run, itemCount: itemCount, nanoseconds: end &- start)
            return state.isStopping
        }
        // The answers are written while another thread computes; where all of them do, this one goes on when they are.
        if isStopping { state.notifyAll() } else if !run.isNarrow { state.notifyOne() }
        for (job, result) in zip(jobs, results) { complete(job, result, start: start) }
    }

    private func complete(_ job: InferenceJob, _ result: InferenceRun.JobResult, start: UInt64) {
        switch result.outputs {
        case .success(let outputs):
            let queued = start &- job.enqueuedNanoseconds
            let statistics = job.model.statistics
            statistics.recordSuccess(
                inputNanoseconds: job.request.inputNanoseconds, queueNanoseconds: queued,
                computeNanoseconds: result.computeNanoseconds)
            statistics.lastInferenceMilliseconds.store(clock.wallMilliseconds(), ordering: .relaxed)
            job.completion(
                .success(
                    InferenceOutcome(
                        outputs: outputs, batchItemCount: result.batchItemCount, queueNanoseconds: queued,
                        computeNanoseconds: result.computeNanoseconds)))
        case .failure(let error): fail(job, error)
        }
    }

    private func fail(_ job: InferenceJob, _ error: ServingError) {
        job.model.statistics.recordFailure(
            FailureReason(error), nanoseconds: clock.nanoseconds() &- job.enqueuedNanoseconds)
        job.completion(.failure(error))
    }

    // MARK: Timer

    private func wakeTimer() {
        timer.withLock { $0.isDue = true }
        timer.notifyAll()
    }

    /// Drops what waits in vain, and starts batches that were held back.
    private func watch() {
        while true {
            let now = clock.nanoseconds()
            let (dead, wait, canRun) = state.withLock { state in
                state.watch(at: now, watchAt: now &+ Self.watchNanoseconds)
            }
            for job in dead {
                fail(job, job.isExpired(at: now) ? .timedOut(model: job.model.name) : .abandoned)
            }
            if canRun || !dead.isEmpty { state.notifyAll() }
            let isStopping = timer.wait(nanoseconds: wait) { timer -> Bool? in
                guard timer.isDue || timer.isStopping else { return nil }
                timer.isDue = false
                return timer.isStopping
            }
            if isStopping == true { return }
        }
    }
}
