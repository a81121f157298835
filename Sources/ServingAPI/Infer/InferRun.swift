import HTTPServer
import HTTPTypes
import ModelServing

extension ServingServices {
    /// Runs `work` here when it reads few bytes, else on a codec worker; what it throws goes to `failed` there.
    func reading(
        byteCount: Int, _ failed: @escaping @Sendable (RequestError) -> Void,
        _ work: @escaping @Sendable () throws(RequestError) -> Void
    ) throws(RequestError) {
        if byteCount <= limits.inlineBodyByteCount { return try work() }
        try onCodecWorker(failed, work)
    }

    /// Runs `work` with a request's body, expanded where it is compressed; what it throws on a codec worker goes to
    /// `failed`. The share holds what the body expanded to, and is to be kept until the answer.
    func readingBody(
        of request: ServerRequest, _ failed: @escaping @Sendable (RequestError) -> Void,
        _ work: @escaping @Sendable ([UInt8], ByteBudget.Share?) throws(RequestError) -> Void
    ) throws(RequestError) {
        guard let name = request.request.headerFields[.contentEncoding], name.lowercased() != "identity"
        else {
            return try reading(byteCount: request.body.count, failed) { () throws(RequestError) in
                try work(request.body, nil)
            }
        }
        guard let coding = ContentCoding(name: name) else { throw .contentEncoding(name) }
        try onCodecWorker(failed) { () throws(RequestError) in
            let share = ByteBudget.Share(of: expandedBytes)
            let body = try Inflater.expand(
                request.body[...], coding: coding, maximumByteCount: limits.maximumExpandedByteCount,
                share: share)
            try work(body, share)
        }
    }

    /// Runs `work` on a codec worker; what it throws goes to `failed`.
    func onCodecWorker(
        _ failed: @escaping @Sendable (RequestError) -> Void,
        _ work: @escaping @Sendable () throws(RequestError) -> Void
    ) throws(RequestError) {
        do throws(ServingError) {
            try codecWorkers.submit {
                do throws(RequestError) {
                    try work()
                } catch {
                    failed(error)
                }
            }
        } catch {
            throw .serving(error)
        }
    }

    /// Throws where no request for `model` would be taken in: reading its body would be in vain.
    func checkRoom(for model: LoadedModel) throws(RequestError) {
        do throws(ServingError) {
            try scheduler.checkRoom(for: model)
        } catch {
            throw .serving(error)
        }
    }

    /// Runs a request that was read within `inputNanoseconds`. On an inference worker, `encode` writes the answer from
    /// the outputs that were asked for, and `completion` gets it, with what is known of it besides.
    func infer<Answer: Sendable>(
        _ call: InferCall, on model: LoadedModel, inputNanoseconds: UInt64,
        isAbandoned: @escaping @Sendable () -> Bool,
        encode: @escaping @Sendable ([InferOutput]) throws(RequestError) -> Answer,
        completion: @escaping @Sendable (Result<Answer, RequestError>, PredictionFacts?) -> Void
    ) throws(RequestError) {
        let request = InferenceRequest(
            inputs: call.inputs, timeoutMicroseconds: call.timeoutMicroseconds, priority: call.priority,
            inputNanoseconds: inputNanoseconds, isAbandoned: isAbandoned)
        do throws(ServingError) {
            try scheduler.submit(request, to: model) { outcome in
                do throws(RequestError) {
                    let run = try outcome.mapError(RequestError.serving).get()
                    let start = clock.nanoseconds()
                    let answer = try encode(
                        try InferOutput.outputs(of: call, from: run.outputs, model: model))
                    let written = clock.nanoseconds() &- start
                    model.statistics.recordOutput(itemCount: run.batchItemCount, nanoseconds: written)
                    let facts = PredictionFacts(
                        readNanoseconds: inputNanoseconds, queueNanoseconds: run.queueNanoseconds,
                        computeNanoseconds: run.computeNanoseconds, serialiseNanoseconds: written,
                        modelDigest: model.digests?.model)
                    completion(.success(answer), facts)
                } catch {
                    completion(.failure(error), nil)
                }
            }
        } catch {
            throw .serving(error)
        }
    }
}
