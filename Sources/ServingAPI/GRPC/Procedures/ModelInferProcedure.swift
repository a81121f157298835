import ModelServing

/// ModelInfer: runs a model.
struct ModelInferProcedure: Procedure {
    let name = "grpc_model_infer"
    let method = "ModelInfer"
    let isAboutModel = true
    let scopes: AccessScopes = .predict
    private let services: ServingServices

    init(_ services: ServingServices) { self.services = services }

    func handle(_ call: ProcedureCall, completion: @escaping ProcedureCompletion) throws(RequestError) {
        let model = try services.repository.loaded(call)
        try services.checkRoom(for: model)
        let byteCount = call.message.bytes.count
        try services.reading(byteCount: byteCount, { completion(.failure($0)) }) { () throws(RequestError) in
            let start = services.clock.nanoseconds()
            var infer = try InferMessageDecoder.decode(call.message, model: model, limits: services.limits)
            if let timeout = call.timeoutMicroseconds {
                guard timeout > 0 else { throw .serving(.timedOut(model: model.name)) }
                infer.timeoutMicroseconds = min(timeout, infer.timeoutMicroseconds ?? timeout)
            }
            let request = infer
            try services.infer(
                request, on: model, inputNanoseconds: services.clock.nanoseconds() &- start,
                isAbandoned: call.isAbandoned,
                encode: { InferMessageEncoder.encode($0, for: request, model: model) },
                completion: { result, _ in completion(result) })
        }
    }
}
