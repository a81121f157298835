import HTTPServer
import HTTPTypes
import ModelServing

/// POST /v2/repository/models/M/load and unload on the port of predictions: refused, with where to go.
struct RepositoryControlEndpoint: ImmediateEndpoint {
    let name = "repository_control"
    let method = HTTPRequest.Method.post
    let paths = ["/v2/repository/models/{model}/load", "/v2/repository/models/{model}/unload"]
    let scopes: AccessScopes = .admin

    static let refusal =
        "models are loaded and unloaded on the admin listener alone, which the setting admin.tokenFile turns on"

    func respond(to call: EndpointCall) throws(RequestError) -> ServerResponse {
        throw .unsupported(Self.refusal)
    }
}

/// POST /v2/repository/models/M/load on the admin listener: loads the model as it lies on the disk.
struct RepositoryLoadEndpoint: Endpoint {
    let name = "repository_load"
    let method = HTTPRequest.Method.post
    let paths = ["/v2/repository/models/{model}/load"]
    let scopes: AccessScopes = .admin
    let repository: ModelRepository
    let limits: APILimits

    func handle(_ call: EndpointCall, completion: @escaping EndpointCompletion) throws(RequestError) {
        try RepositoryParameters.check(call.request.body, limits, allowed: [])
        try repository.control(.load, call.model) { completion($0.map { ServerResponse(status: .ok) }) }
    }
}

/// POST /v2/repository/models/M/unload on the admin listener: stops serving the model.
struct RepositoryUnloadEndpoint: Endpoint {
    let name = "repository_unload"
    let method = HTTPRequest.Method.post
    let paths = ["/v2/repository/models/{model}/unload"]
    let scopes: AccessScopes = .admin
    let repository: ModelRepository
    let limits: APILimits

    func handle(_ call: EndpointCall, completion: @escaping EndpointCompletion) throws(RequestError) {
        try RepositoryParameters.check(call.request.body, limits, allowed: RepositoryParameters.ofUnload)
        try repository.control(.unload, call.model) { completion($0.map { ServerResponse(status: .ok) }) }
    }
}

/// What a load or an unload may be told beside the model's name: nothing comes over the network.
enum RepositoryParameters {
    /// No model depends on another: either value means the same.
    static let ofUnload = ["unload_dependents"]

    /// Throws for a body that is neither empty nor an object, and for any parameter that is not `allowed`.
    static func check(_ body: [UInt8], _ limits: APILimits, allowed: [String]) throws(RequestError) {
        guard !body.isEmpty else { return }
        var reader = JSONReader(body, byteCount: body.count, limits: limits)
        try reader.object { (reader, key) throws(RequestError) in
            guard key == "parameters", try !reader.skipNull() else { return try reader.skipValue() }
            try reader.object { (reader, key) throws(RequestError) in
                try check(key, allowed: allowed)
                try reader.skipValue()
            }
        }
        try reader.finish()
    }

    static func check(_ name: String, allowed: [String]) throws(RequestError) {
        if allowed.contains(name) { return }
        if name == "config" {
            throw .unsupported(
                "parameter 'config' is not supported: a model's settings are in its model.json")
        }
        if name.hasPrefix("file:") {
            throw .unsupported("parameter '\(name)' is not supported: no file comes over the network")
        }
        throw .unsupported("parameter '\(name)' is not supported")
    }
}

extension ModelRepository {
    enum Control {
        case load
        case unload
    }

    /// Loads or unloads; `completion` gets the outcome from the repository's thread, unless this throws.
    func control(
        _ action: Control, _ model: String,
        completion: @escaping @Sendable (Result<Void, RequestError>) -> Void
    ) throws(RequestError) {
        let finish = { @Sendable (error: RepositoryControlError?) in
            completion(error.map { .failure(.control($0)) } ?? .success(()))
        }
        do throws(RepositoryControlError) {
            switch action {
            case .load: try load(model, completion: finish)
            case .unload: try unload(model, completion: finish)
            }
        } catch {
            throw .control(error)
        }
    }
}
