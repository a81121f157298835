import HTTPServer
import HTTPTypes
import ModelServing

/// POST /v1/models/M:predict: runs a model, in the form of TF Serving and of KServe's version 1.
struct PredictEndpoint: Endpoint {
    let name = "predict"
    let method = HTTPRequest.Method.post
    let paths = ["/v1/models/{model}:predict", "/v1/models/{model}/versions/{version}:predict"]
    let scopes: AccessScopes = .predict
    private let services: ServingServices

    init(_ services: ServingServices) { self.services = services }

    func handle(_ call: EndpointCall, completion: @escaping EndpointCompletion) throws(RequestError) {
        let model = try services.repository.loaded(call)
        try services.checkRoom(for: model)
        try services.readingBody(of: call.request, { completion(.failure($0)) }) {
            (body, share) throws(RequestError) in
            let start = services.clock.nanoseconds()
            let prediction = try PredictDecoder.decode(body, model: model, limits: services.limits)
            try services.infer(
                prediction.call, on: model, inputNanoseconds: services.clock.nanoseconds() &- start,
                isAbandoned: call.isAbandoned,
                encode: { (outputs) throws(RequestError) in
                    APIResponse.json(try PredictEncoder.encode(outputs, for: prediction))
                },
                completion: { result, facts in
                    withExtendedLifetime(share) { completion(services.announced(result, facts)) }
                })
        }
    }
}

/// POST /v1/models/M:classify, :regress and :explain: refused, a network has tensors only.
struct PredictVerbsEndpoint: ImmediateEndpoint {
    let name = "predict_verbs"
    let method = HTTPRequest.Method.post
    let paths = ["classify", "regress", "explain"].flatMap { verb in
        ["/v1/models/{model}:\(verb)", "/v1/models/{model}/versions/{version}:\(verb)"]
    }
    let scopes: AccessScopes = .predict

    func respond(to call: EndpointCall) throws(RequestError) -> ServerResponse {
        let verb = (call.request.request.path ?? "").split(separator: ":").last.map(String.init) ?? ""
        throw .unsupported("'\(verb.prefix { $0 != "?" })' is not supported; send tensors to :predict")
    }
}
