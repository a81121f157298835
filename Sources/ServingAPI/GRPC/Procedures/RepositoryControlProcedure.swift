/// RepositoryModelLoad and RepositoryModelUnload: refused, with the reason.
struct RepositoryControlProcedure: ImmediateProcedure {
    let name = "grpc_repository_control"
    let scopes: AccessScopes = .admin
    let method: String

    func respond(to call: ProcedureCall, _ writer: inout ProtobufWriter) throws(RequestError) {
        throw .unsupported(RepositoryControlEndpoint.refusal)
    }
}
