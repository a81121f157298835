import HTTPServer
import ModelServing

/// GET /v2/models: the names of all models, served or not.
struct ModelListEndpoint: ImmediateEndpoint {
    let name = "model_list"
    let paths = ["/v2/models"]
    let scopes: AccessScopes = [.predict, .introspect]
    let repository: ModelRepository

    func respond(to call: EndpointCall) -> ServerResponse {
        APIResponse.json { writer in
            writer.key("models")
            writer.strings(repository.models.map(\.name))
        }
    }
}
