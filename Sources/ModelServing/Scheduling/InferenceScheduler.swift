import Execution
import Tensors
import Synchronization
import Threads

/// Runs requests on worker threads, each model's in the order in which they came, the models in turn.
///
/// Whoever submits never computes and never waits.
package final class InferenceScheduler: Sendable {
    package struct Configuration: Sendable {
        /// Requests that run at once.
        package var workerCount: Int
        /// Requests of one model that may wait; one more is refused with 503.
        package var queueLimit: Int

        package init(workerCount: Int = 1, queueLimit: Int = 256) {
            self.workerCount = workerCount
            self.queueLimit = queueLimit
        }
    }

    private struct State {
        /// Queues that hold a job, each once, in the order of their turns.
        var turns = Fifo<InferenceQueue>()
        var isStopping = false
        var threads: [Thread] = []
    }

    package let configuration: Configuration
    private let clock: MonotonicClock
    private let state = Lock(State())

    /// Starts the workers.
    package init(_ configuration: Configuration, clock: MonotonicClock) {
        precondition(configuration.workerCount > 0 && configuration.queueLimit > 0, "\(configuration)")
        self.configuration = configuration
        self.clock = clock
        let threads = (0..<configuration.workerCount).map { index in
            Thread(name: "infer-\(index)") { [self] in work() }
        }
        state.withLock { $0.threads = threads }
    }

    /// Queues a request; `completion` gets its outcome on a worker thread.
    ///
    /// Throws `overloaded` or `stopping`, and never calls `completion` then.
    package func submit(
        _ request: InferenceRequest, to model: LoadedModel, completion: @escaping InferenceCompletion
    ) throws(ServingError) {
        let job = InferenceJob(
            model: model, request: request, enqueuedNanoseconds: clock.nanoseconds(), completion: completion)
        let queue = model.queue
        let refusal = state.withLock { state -> ServingError? in
            guard !state.isStopping else { return .stopping }
            guard queue.jobs.count < configuration.queueLimit else {
                return .overloaded(model: model.name, queueLimit: configuration.queueLimit)
            }
            if queue.jobs.isEmpty { state.turns.append(queue) }
            queue.jobs.append(job)
            queue.pendingCount.store(queue.jobs.count, ordering: .relaxed)
            return nil
        }
        if let refusal {
            model.statistics.recordFailure(.rejected, nanoseconds: 0)
            throw refusal
        }
        state.notifyOne()
    }

    /// Requests of `model` that wait for a worker.
    package func pendingCount(of model: LoadedModel) -> Int {
        model.queue.pendingCount.load(ordering: .relaxed)
    }

    /// Refuses new requests, finishes those that were taken and ends the workers. Not from a worker.
    package func stop() {
        let threads = state.withLock { state in
            state.isStopping = true
            defer { state.threads = [] }
            return state.threads
        }
        state.notifyAll()
        for thread in threads { thread.join() }
    }

    private func work() {
        while let job = nextJob() { run(job) }
    }

    /// Blocks until there is a job; `nil` once stopped and empty.
    private func nextJob() -> InferenceJob? {
        state.wait { state -> InferenceJob?? in
            if let queue = state.turns.popFirst() {
                let job = queue.jobs.popFirst()
                queue.pendingCount.store(queue.jobs.count, ordering: .relaxed)
                if !queue.jobs.isEmpty { state.turns.append(queue) }
                return .some(job)
            }
            return state.isStopping ? .some(nil) : nil
        }
    }

    private func run(_ job: InferenceJob) {
        let start = clock.nanoseconds()
        let queued = start &- job.enqueuedNanoseconds
        let statistics = job.model.statistics
        if job.request.isAbandoned() {
            statistics.recordFailure(.canceled, nanoseconds: queued)
            return job.completion(.failure(.abandoned))
        }
        if let timeout = job.request.timeoutMicroseconds, queued / 1000 > timeout {
            statistics.recordFailure(.rejected, nanoseconds: queued)
            return job.completion(.failure(.timedOut(model: job.model.name)))
        }
        do {
            let outputs = try job.model.sessions.run(job.request.inputs)
            let computed = clock.nanoseconds() &- start
            statistics.recordSuccess(
                itemCount: job.request.itemCount(for: job.model.interface),
                inputNanoseconds: job.request.inputNanoseconds, queueNanoseconds: queued,
                computeNanoseconds: computed)
            job.request.times.record(queueNanoseconds: queued, computeNanoseconds: computed)
            statistics.lastInferenceMilliseconds.store(clock.wallMilliseconds(), ordering: .relaxed)
            job.completion(.success(outputs))
        } catch {
            statistics.recordFailure(.backend, nanoseconds: clock.nanoseconds() &- job.enqueuedNanoseconds)
            job.completion(.failure(Self.servingError(error, model: job.model.name)))
        }
    }

    /// What the inputs brought about is the caller's to mend; the rest is not.
    private static func servingError(_ error: ExecutionError, model: String) -> ServingError {
        switch error {
        case .missingInput, .unexpectedInput, .elementType, .shape, .memory, .graph:
            .execution(model: model, reason: error.description)
        case .outOfMemory: .outOfMemory(model: model, reason: error.description)
        case .kernels, .inputCount, .outputCount, .outputByteCount:
            .failure(model: model, reason: error.description)
        }
    }
}
