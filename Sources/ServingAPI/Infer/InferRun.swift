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

    /// Queues a request that was read; `completion` gets the outputs that were asked for on an inference worker.
    func infer(
        _ call: InferCall, on model: LoadedModel, isAbandoned: @escaping @Sendable () -> Bool,
        completion: @escaping @Sendable (Result<[InferOutput], RequestError>) -> Void
    ) throws(RequestError) {
        let request = InferenceRequest(
            inputs: call.inputs, timeoutMicroseconds: call.timeoutMicroseconds, isAbandoned: isAbandoned)
        do throws(ServingError) {
            try scheduler.submit(request, to: model) { outcome in
                do throws(RequestError) {
                    let tensors = try outcome.mapError(RequestError.serving).get()
                    completion(.success(try InferOutput.outputs(of: call, from: tensors, model: model)))
                } catch {
                    completion(.failure(error))
                }
            }
        } catch {
            throw .serving(error)
        }
    }
}
