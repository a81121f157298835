import HTTPServer
import ModelServing

/// GET /v2/models/M/ready: whether a version is served.
struct ModelReadyEndpoint: ImmediateEndpoint {
    let name = "model_ready"
    let paths = ["/v2/models/{model}/ready", "/v2/models/{model}/versions/{version}/ready"]
    let scopes: AccessScopes = [.predict, .introspect]
    let repository: ModelRepository

    func respond(to call: EndpointCall) throws(RequestError) -> ServerResponse {
        let model = try repository.loaded(call)
        return APIResponse.json { writer in
            writer.key("name")
            writer.string(model.name)
            writer.key("ready")
            writer.boolean(true)
        }
    }
}
