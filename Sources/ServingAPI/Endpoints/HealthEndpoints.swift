import HTTPServer
import ModelServing

/// GET /v2/health/live: whether the process answers.
struct LiveEndpoint: ImmediateEndpoint {
    let name = "live"
    let paths = ["/v2/health/live"]
    let scopes: AccessScopes = []
    /// Always the same, and asked for again and again.
    private let answer = APIResponse.json { writer in
        writer.key("live")
        writer.boolean(true)
    }

    func respond(to call: EndpointCall) -> ServerResponse { answer }
}

/// GET /v2/health/ready: whether every model is served.
struct ReadyEndpoint: ImmediateEndpoint {
    let name = "ready"
    let paths = ["/v2/health/ready"]
    let scopes: AccessScopes = []
    let repository: ModelRepository

    func respond(to call: EndpointCall) throws(RequestError) -> ServerResponse {
        if let model = repository.blockingModel {
            throw .serving(.notReady(model: model.name, version: nil, reason: model.blockingReason))
        }
        return APIResponse.json { writer in
            writer.key("ready")
            writer.boolean(true)
        }
    }
}
