import ModelServing

/// RepositoryModelLoad and RepositoryModelUnload on the port of predictions: refused, with where to go.
struct RepositoryControlProcedure: ImmediateProcedure {
    let method: String
    let scopes: AccessScopes = .admin

    var name: String { "grpc_repository_control_" + (method == "RepositoryModelLoad" ? "load" : "unload") }

    func respond(to call: ProcedureCall, _ writer: inout ProtobufWriter) throws(RequestError) {
        throw .unsupported(RepositoryControlEndpoint.refusal)
    }
}

/// RepositoryModelLoad and RepositoryModelUnload on the admin listener.
struct RepositoryActionProcedure: Procedure {
    let action: ModelRepository.Control
    let repository: ModelRepository
    let isAboutModel = false
    let scopes: AccessScopes = .admin

    var name: String { action == .load ? "grpc_repository_load" : "grpc_repository_unload" }
    var method: String { action == .load ? "RepositoryModelLoad" : "RepositoryModelUnload" }

    func handle(_ call: ProcedureCall, completion: @escaping ProcedureCompletion) throws(RequestError) {
        let allowed = action == .load ? [] : RepositoryParameters.ofUnload
        var message = call.message
        var model = ""
        while let field = try message.next() {
            switch field.number {
            case 2: model = try message.string(field, "model_name")
            case 3:
                // An entry of a map is a message of its key and its value.
                var entry = message.nested(try message.range(field, "parameters"))
                while let field = try entry.next() {
                    if field.number == 1 {
                        try RepositoryParameters.check(entry.string(field, "parameters"), allowed: allowed)
                    }
                }
            default: break
            }
        }
        try repository.control(action, model) { outcome in
            completion(outcome.map { GRPCFrame.begin() })
        }
    }
}
