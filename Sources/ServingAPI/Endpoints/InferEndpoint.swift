import HTTPServer
import HTTPTypes
import ModelServing

/// POST /v2/models/M/infer: runs a model.
///
/// Reads small bodies on the loop and large ones on a codec worker; the network runs, and the reply is written, on an
/// inference worker.
struct InferEndpoint: Endpoint {
    let name = "infer"
    let method = HTTPRequest.Method.post
    let paths = ["/v2/models/{model}/infer", "/v2/models/{model}/versions/{version}/infer"]
    let scopes: AccessScopes = .predict
    private let services: ServingServices

    init(_ services: ServingServices) { self.services = services }

    func handle(_ call: EndpointCall, completion: @escaping EndpointCompletion) throws(RequestError) {
        let model = try services.repository.loaded(call)
        try services.checkRoom(for: model)
        let headers = call.request.request.headerFields
        let headerLength = try headers[Self.headerLengthName].map { (text) throws(RequestError) in
            try Self.headerLength(text)
        }
        try services.readingBody(of: call.request, { completion(.failure($0)) }) {
            (body, share) throws(RequestError) in
            let start = services.clock.nanoseconds()
            let infer = try InferDecoder.decode(
                body, headerLength: headerLength, model: model, limits: services.limits)
            try services.infer(
                infer, on: model, inputNanoseconds: services.clock.nanoseconds() &- start,
                isAbandoned: call.isAbandoned,
                encode: { (outputs) throws(RequestError) in
                    Self.response(try InferEncoder.encode(outputs, for: infer, model: model))
                },
                completion: { result, facts in
                    withExtendedLifetime(share) { completion(services.announced(result, facts)) }
                })
        }
    }

    private static func response(_ reply: InferEncoder.Reply) -> ServerResponse {
        guard let headerLength = reply.headerLength else { return APIResponse.json(reply.body) }
        return ServerResponse(
            status: .ok,
            headers: [
                .contentType: "application/octet-stream", headerLengthName: String(headerLength),
            ],
            body: reply.body)
    }

    private static let headerLengthName = HTTPField.Name(InferFields.headerLength)!

    private static func headerLength(_ text: String) throws(RequestError) -> Int {
        guard !text.isEmpty, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let value = Int(text)
        else { throw .header(name: InferFields.headerLength, reason: "'\(text)' is no number of bytes") }
        return value
    }
}
