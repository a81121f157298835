import ModelServing

/// Whether the process answers.
struct ServerLiveProcedure: ImmediateProcedure {
    let name = "grpc_server_live"
    let method = "ServerLive"
    let scopes: AccessScopes = []

    func respond(to call: ProcedureCall, _ writer: inout ProtobufWriter) { writer.boolean(1, true) }
}

/// Whether every model is served.
struct ServerReadyProcedure: ImmediateProcedure {
    let name = "grpc_server_ready"
    let method = "ServerReady"
    let scopes: AccessScopes = []
    let repository: ModelRepository

    func respond(to call: ProcedureCall, _ writer: inout ProtobufWriter) {
        writer.boolean(1, repository.isReady)
    }
}

/// Whether a version is served. A model that is not ready is an answer, an unknown one is an error.
struct ModelReadyProcedure: ImmediateProcedure {
    let name = "grpc_model_ready"
    let method = "ModelReady"
    let isAboutModel = true
    let scopes: AccessScopes = [.predict, .introspect]
    let repository: ModelRepository

    func respond(to call: ProcedureCall, _ writer: inout ProtobufWriter) throws(RequestError) {
        do throws(RequestError) {
            _ = try repository.loaded(call)
            writer.boolean(1, true)
        } catch {
            guard case .serving(.notReady) = error else { throw error }
        }
    }
}

/// grpc.health.v1: whether every model is served, for the server as a whole and for the inference service.
struct HealthCheckProcedure: ImmediateProcedure {
    let name = "grpc_health_check"
    let service = ProcedureCatalog.healthService
    let method = "Check"
    let scopes: AccessScopes = []
    let repository: ModelRepository

    private static let serving: UInt64 = 1
    private static let notServing: UInt64 = 2

    func respond(to call: ProcedureCall, _ writer: inout ProtobufWriter) throws(RequestError) {
        var message = call.message
        var service = ""
        while let field = try message.next() {
            if field.number == 1 { service = try message.string(field, "service") }
        }
        guard service.isEmpty || ProcedureCatalog.services.contains(service) else {
            throw .unknownService(service)
        }
        writer.integer(1, repository.isReady ? Self.serving : Self.notServing)
    }
}
