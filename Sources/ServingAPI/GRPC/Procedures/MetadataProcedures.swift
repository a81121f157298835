import ModelServing

/// The server's name, version and the protocol extensions that it has.
struct ServerMetadataProcedure: ImmediateProcedure {
    let name = "grpc_server_metadata"
    let method = "ServerMetadata"
    let scopes: AccessScopes = [.predict, .introspect]
    let version: String

    func respond(to call: ProcedureCall, _ writer: inout ProtobufWriter) {
        writer.string(1, ServerMetadataEndpoint.serverName)
        writer.string(2, version)
        writer.strings(3, ServerMetadataEndpoint.extensions)
    }
}

/// A model's inputs and outputs.
struct ModelMetadataProcedure: ImmediateProcedure {
    let name = "grpc_model_metadata"
    let method = "ModelMetadata"
    let isAboutModel = true
    let scopes: AccessScopes = [.predict, .introspect]
    let repository: ModelRepository

    func respond(to call: ProcedureCall, _ writer: inout ProtobufWriter) throws(RequestError) {
        let model = try repository.loaded(call)
        writer.string(1, model.name)
        writer.strings(2, try repository.loadedVersions(of: call.model))
        writer.string(3, model.platform)
        Self.write(model.interface.inputs, field: 4, to: &writer)
        Self.write(model.interface.outputs, field: 5, to: &writer)
    }

    private static func write(
        _ ports: [ModelInterface.Port], field: Int, to writer: inout ProtobufWriter
    ) {
        for port in ports {
            writer.message(field) { writer in
                writer.string(1, port.name)
                writer.string(2, port.elementType.datatype)
                writer.integers(3, port.protocolShape)
            }
        }
    }
}

/// Every version of every model, with its state.
struct RepositoryIndexProcedure: ImmediateProcedure {
    let name = "grpc_repository_index"
    let method = "RepositoryIndex"
    let scopes: AccessScopes = [.introspect, .admin]
    let repository: ModelRepository

    func respond(to call: ProcedureCall, _ writer: inout ProtobufWriter) throws(RequestError) {
        var message = call.message
        var isReadyOnly = false
        while let field = try message.next() {
            switch field.number {
            case 1: _ = try message.string(field, "repository_name")
            case 2: isReadyOnly = try message.number(field, "ready") != 0
            default: break
            }
        }
        for entry in RepositoryIndex.entries(of: repository, isReadyOnly: isReadyOnly) {
            writer.message(1) { writer in
                writer.string(1, entry.name)
                writer.string(2, entry.version ?? "")
                writer.string(3, entry.state)
                writer.string(4, entry.reason ?? "")
            }
        }
    }
}
