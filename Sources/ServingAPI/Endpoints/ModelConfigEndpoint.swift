import HTTPServer
import ModelServing

/// GET /v2/models/M/config: the model's configuration in Triton's form.
struct ModelConfigEndpoint: ImmediateEndpoint {
    let name = "model_config"
    let paths = ["/v2/models/{model}/config", "/v2/models/{model}/versions/{version}/config"]
    let scopes: AccessScopes = [.predict, .introspect]
    let repository: ModelRepository
    let scheduler: InferenceScheduler

    func respond(to call: EndpointCall) throws(RequestError) -> ServerResponse {
        let configuration = ModelConfiguration(try repository.loaded(call), scheduler: scheduler)
        return APIResponse.json { configuration.write(to: &$0) }
    }
}
