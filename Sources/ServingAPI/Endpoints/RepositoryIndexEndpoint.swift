import HTTPServer
import HTTPTypes
import ModelServing

/// POST /v2/repository/index: every version of every model, with its state.
struct RepositoryIndexEndpoint: ImmediateEndpoint {
    let name = "repository_index"
    let method = HTTPRequest.Method.post
    let paths = ["/v2/repository/index"]
    let scopes: AccessScopes = [.introspect, .admin]
    let repository: ModelRepository
    let limits: APILimits

    func respond(to call: EndpointCall) throws(RequestError) -> ServerResponse {
        let isReadyOnly = try Self.isReadyOnly(call.request.body, limits)
        var writer = JSONWriter()
        writer.array { writer in
            for entry in RepositoryIndex.entries(of: repository, isReadyOnly: isReadyOnly) {
                writer.object { writer in
                    writer.key("name")
                    writer.string(entry.name)
                    if let version = entry.version {
                        writer.key("version")
                        writer.string(version)
                    }
                    writer.key("state")
                    writer.string(entry.state)
                    if let reason = entry.reason {
                        writer.key("reason")
                        writer.string(reason)
                    }
                }
            }
        }
        return APIResponse.json(writer.bytes)
    }

    /// The body is empty or an object that may say `ready`.
    private static func isReadyOnly(_ body: [UInt8], _ limits: APILimits) throws(RequestError) -> Bool {
        guard !body.isEmpty else { return false }
        var reader = JSONReader(body, byteCount: body.count, limits: limits)
        var isReadyOnly = false
        try reader.object { (reader, key) throws(RequestError) in
            guard key == "ready", try !reader.skipNull() else { return try reader.skipValue() }
            isReadyOnly = try reader.boolean()
        }
        try reader.finish()
        return isReadyOnly
    }
}
