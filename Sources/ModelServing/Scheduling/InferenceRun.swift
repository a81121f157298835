import Execution
import Tensors

/// Computes the requests of one batch: together, or one by one where that fails.
enum InferenceRun {
    struct JobResult {
        let outputs: Result<[String: Tensor], ServingError>
        let batchItemCount: Int
        let computeNanoseconds: UInt64
    }

    /// A result for each job, in their order.
    static func results(of jobs: [InferenceJob], isNarrow: Bool, clock: MonotonicClock) -> [JobResult] {
        // What one request brings about must not be another's answer: where the batch fails, each is run by itself.
        if jobs.count > 1, let results = together(jobs, isNarrow, clock) { return results }
        return jobs.map { alone($0, isNarrow, clock) }
    }

    private static func together(
        _ jobs: [InferenceJob], _ isNarrow: Bool, _ clock: MonotonicClock
    ) -> [JobResult]? {
        let model = jobs[0].model
        let start = clock.nanoseconds()
        guard let batch = InferenceBatch(jobs),
            let outputs = try? model.sessions.run(batch.inputs, isNarrow: isNarrow),
            let parts = batch.split(outputs)
        else { return nil }
        let nanoseconds = clock.nanoseconds() &- start
        model.statistics.recordExecution(
            itemCount: batch.itemCount,
            inputNanoseconds: jobs.reduce(0) { $0 &+ $1.request.inputNanoseconds },
            computeNanoseconds: nanoseconds)
        return parts.map {
            JobResult(
                outputs: .success($0), batchItemCount: batch.itemCount, computeNanoseconds: nanoseconds)
        }
    }

    private static func alone(_ job: InferenceJob, _ isNarrow: Bool, _ clock: MonotonicClock) -> JobResult {
        let start = clock.nanoseconds()
        do {
            let outputs = try job.model.sessions.run(job.request.inputs, isNarrow: isNarrow)
            let nanoseconds = clock.nanoseconds() &- start
            job.model.statistics.recordExecution(
                itemCount: job.itemCount, inputNanoseconds: job.request.inputNanoseconds,
                computeNanoseconds: nanoseconds)
            return JobResult(
                outputs: .success(outputs), batchItemCount: job.itemCount, computeNanoseconds: nanoseconds)
        } catch {
            return JobResult(
                outputs: .failure(servingError(error, model: job.model.name)), batchItemCount: job.itemCount,
                computeNanoseconds: clock.nanoseconds() &- start)
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
