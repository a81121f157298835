import HTTPServer
import HTTPTypes

/// POST /v2/repository/models/M/load and unload: refused, the models are those of the folder at the start.
struct RepositoryControlEndpoint: ImmediateEndpoint {
    let name = "repository_control"
    let method = HTTPRequest.Method.post
    let paths = ["/v2/repository/models/{model}/load", "/v2/repository/models/{model}/unload"]
    let scopes: AccessScopes = .admin

    static let refusal = "models are not loaded or unloaded over the network"

    func respond(to call: EndpointCall) throws(RequestError) -> ServerResponse {
        throw .unsupported(Self.refusal)
    }
}
