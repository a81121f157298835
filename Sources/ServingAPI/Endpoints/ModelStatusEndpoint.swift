import HTTPServer
import ModelServing

/// GET /v1/models/M: whether a model is served, as TF Serving and as KServe's version 1 tell it, both at once.
struct ModelStatusEndpoint: ImmediateEndpoint {
    let name = "model_status"
    let paths = ["/v1/models/{model}", "/v1/models/{model}/versions/{version}"]
    let scopes: AccessScopes = [.predict, .introspect]
    let repository: ModelRepository

    func respond(to call: EndpointCall) throws(RequestError) -> ServerResponse {
        let states: [(version: String, state: VersionState)]
        var refusal: ServingError?
        do throws(ServingError) {
            let model = try repository.model(named: call.model)
            states = model.allStates.filter { call.version == nil || $0.version == call.version }
            if let version = call.version, states.isEmpty {
                throw .unknownVersion(model: call.model, version: version)
            }
            do throws(ServingError) {
                _ = try model.resolve(call.version)
            } catch {
                refusal = error
            }
        } catch {
            throw .serving(error)
        }
        var writer = JSONWriter()
        writer.object { writer in
            if let refusal {
                writer.key("error")
                writer.string(refusal.description)
            }
            writer.key("name")
            writer.string(call.model)
            writer.key("ready")
            writer.boolean(refusal == nil)
            writer.key("model_version_status")
            writer.array { writer in
                // The newest first, as TF Serving has them.
                for (version, state) in states.reversed() { Self.write(version, state, to: &writer) }
            }
        }
        return APIResponse.json(writer.bytes, status: refusal == nil ? .ok : .serviceUnavailable)
    }

    private static func write(_ version: String, _ state: VersionState, to writer: inout JSONWriter) {
        writer.object { writer in
            writer.key("version")
            writer.string(version)
            writer.key("state")
            writer.string(stateName(state))
            writer.key("status")
            writer.object { writer in
                writer.key("error_code")
                writer.string(state.reason == nil ? "OK" : "FAILED_PRECONDITION")
                writer.key("error_message")
                writer.string(state.reason ?? "")
            }
        }
    }

    /// TF Serving's name of a state.
    private static func stateName(_ state: VersionState) -> String {
        switch state.name {
        case "READY": "AVAILABLE"
        case "UNAVAILABLE": "END"
        default: state.name
        }
    }
}

/// GET /v1/models: the names of all models, as KServe's version 1 lists them.
struct ModelNamesEndpoint: ImmediateEndpoint {
    let name = "model_names"
    let paths = ["/v1/models"]
    let scopes: AccessScopes = [.predict, .introspect]
    let repository: ModelRepository

    func respond(to call: EndpointCall) -> ServerResponse {
        ModelListEndpoint(repository: repository).respond(to: call)
    }
}

/// GET /: that the server is there, for KServe's version 1.
struct AliveEndpoint: ImmediateEndpoint {
    let name = "alive"
    let paths = ["/"]
    let scopes: AccessScopes = []

    func respond(to call: EndpointCall) -> ServerResponse {
        APIResponse.json { writer in
            writer.key("status")
            writer.string("alive")
        }
    }
}
