import HTTPServer

/// GET /v2: the server's name, version and the protocol extensions that it has.
struct ServerMetadataEndpoint: ImmediateEndpoint {
    let name = "server_metadata"
    let paths = ["/v2"]
    let scopes: AccessScopes = [.predict, .introspect]
    let version: String

    static let serverName = "foldserve"
    static let extensions = [
        "binary_tensor_data", "classification", "model_configuration", "statistics",
    ]

    func respond(to call: EndpointCall) -> ServerResponse {
        APIResponse.json { writer in
            writer.key("name")
            writer.string(Self.serverName)
            writer.key("version")
            writer.string(version)
            writer.key("extensions")
            writer.strings(Self.extensions)
        }
    }
}
