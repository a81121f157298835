import ModelServing

/// A unary call on its way to a procedure.
struct ProcedureCall: Sendable {
    let message: ProtobufReader
    /// Of procedures that are about a model: the message's first field, and its second where it is not empty.
    let model: String
    let version: String?
    /// From `grpc-timeout`.
    let timeoutMicroseconds: UInt64?
    /// Whether the client has gone.
    let isAbandoned: @Sendable () -> Bool
}

/// What a procedure owes: one message, begun by `GRPCFrame.begin`, or one error, from any thread, once.
typealias ProcedureCompletion = @Sendable (Result<ProtobufWriter, RequestError>) -> Void

/// Something that answers unary gRPC calls of one name.
///
/// A procedure is one file in Procedures/, or a few that belong together, and one line in `ProcedureCatalog`.
protocol Procedure: Sendable {
    /// What metrics call it.
    var name: String { get }
    var service: String { get }
    var method: String { get }
    var isAboutModel: Bool { get }
    /// What a bearer token must open where tokens are asked for.
    var scopes: AccessScopes { get }

    /// Runs on a loop or a codec worker and must not block. Throws instead of calling `completion`.
    func handle(_ call: ProcedureCall, completion: @escaping ProcedureCompletion) throws(RequestError)
}

extension Procedure {
    var service: String { ProcedureCatalog.inferenceService }
    var path: String { "/\(service)/\(method)" }
    var scopes: AccessScopes { .introspect }
}

/// A procedure that knows its answer at once.
protocol ImmediateProcedure: Procedure {
    func respond(to call: ProcedureCall, _ writer: inout ProtobufWriter) throws(RequestError)
}

extension ImmediateProcedure {
    var isAboutModel: Bool { false }

    func handle(_ call: ProcedureCall, completion: @escaping ProcedureCompletion) throws(RequestError) {
        var writer = GRPCFrame.begin()
        try respond(to: call, &writer)
        completion(.success(writer))
    }
}

extension ModelRepository {
    /// The ready version that a call means.
    func loaded(_ call: ProcedureCall) throws(RequestError) -> LoadedModel {
        do {
            return try model(named: call.model).resolve(call.version)
        } catch {
            throw .serving(error)
        }
    }
}
