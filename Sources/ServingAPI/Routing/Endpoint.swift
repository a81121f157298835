import HTTPServer
import HTTPTypes
import ModelServing

/// A request on its way to an endpoint.
package struct EndpointCall: Sendable {
    package let request: ServerRequest
    /// From the path, decoded; empty where the path names none.
    package let model: String
    package let version: String?
    /// Whether the client has gone.
    package let isAbandoned: @Sendable () -> Bool
}

/// What an endpoint owes: one answer or one error, from any thread, once.
package typealias EndpointCompletion = @Sendable (Result<ServerResponse, RequestError>) -> Void

/// Something that answers requests of one method under one path, or a few.
///
/// An endpoint is one file in Endpoints/ and one line in `EndpointCatalog`.
package protocol Endpoint: Sendable {
    /// What metrics call it.
    var name: String { get }
    /// GET stands for HEAD too.
    var method: HTTPRequest.Method { get }
    /// Whole paths; `{model}` and `{version}` stand for one segment each, the last one perhaps for what is before a verb:
    /// `{model}:predict`.
    var paths: [String] { get }
    /// What a bearer token must open where tokens are asked for.
    var scopes: AccessScopes { get }

    /// The endpoint, where it knows its answer at once.
    var immediate: (any ImmediateEndpoint)? { get }

    /// Runs on a loop and must not block. Throws instead of calling `completion`.
    func handle(_ call: EndpointCall, completion: @escaping EndpointCompletion) throws(RequestError)
}

extension Endpoint {
    package var immediate: (any ImmediateEndpoint)? { nil }
    package var scopes: AccessScopes { .introspect }
}

/// An endpoint that knows its answer at once.
package protocol ImmediateEndpoint: Endpoint {
    func respond(to call: EndpointCall) throws(RequestError) -> ServerResponse
}

extension ImmediateEndpoint {
    package var method: HTTPRequest.Method { .get }
    package var immediate: (any ImmediateEndpoint)? { self }

    package func handle(
        _ call: EndpointCall, completion: @escaping EndpointCompletion
    ) throws(RequestError) {
        completion(.success(try respond(to: call)))
    }
}

extension ModelRepository {
    /// The ready version that a call means.
    func loaded(_ call: EndpointCall) throws(RequestError) -> LoadedModel {
        do {
            return try model(named: call.model).resolve(call.version)
        } catch {
            throw .serving(error)
        }
    }

    /// The versions of a model that are served, ascending.
    func loadedVersions(of name: String) throws(RequestError) -> [String] {
        do {
            return try model(named: name).loaded.map(\.version)
        } catch {
            throw .serving(error)
        }
    }
}
