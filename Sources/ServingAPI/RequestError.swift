import HTTPTypes
import ModelServing

/// What is wrong with a request. Every case knows its HTTP status.
package enum RequestError: Error, Equatable, CustomStringConvertible {
    case json(reason: String, byteOffset: Int)
    case missingKey(String, of: String)
    case repeatedKey(String, of: String)
    case value(key: String, of: String, expected: String)
    case input(String, reason: String)
    case output(String, reason: String)
    /// What stands at a place of the JSON where something else should.
    case mismatch(path: String, expected: String, actual: String)
    case header(name: String, reason: String)
    case binary(reason: String)
    case path(reason: String)
    case noRoute(path: String)
    case unknownService(String)
    case method(allowed: [String])
    case contentEncoding(String)
    case mediaType(path: String)
    case requiresHTTP2
    case unsupported(String)
    case unauthenticated(reason: String)
    case forbidden(scopes: String)
    /// Compressed bytes that cannot be expanded.
    case expansion(reason: String)
    case expansionTooLarge(limit: Int)
    case protobuf(reason: String, byteOffset: Int)
    case frame(reason: String)
    case limit(String, maximum: Int)
    case serving(ServingError)
    case control(RepositoryControlError)

    package var status: HTTPResponse.Status {
        switch self {
        case .noRoute, .unknownService: .notFound
        case .method: .methodNotAllowed
        case .contentEncoding, .mediaType: .unsupportedMediaType
        case .unauthenticated: .unauthorized
        case .forbidden: .forbidden
        case .requiresHTTP2: .httpVersionNotSupported
        case .unsupported: .notImplemented
        case .expansionTooLarge: .contentTooLarge
        case .serving(let error): Self.status(error.status)
        case .control(let error): Self.status(error.status)
        default: .badRequest
        }
    }

    /// The named status: only that has a reason phrase.
    private static func status(_ code: Int) -> HTTPResponse.Status {
        switch code {
        case 404: .notFound
        case 500: .internalServerError
        case 501: .notImplemented
        case 503: .serviceUnavailable
        default: .badRequest
        }
    }

    package var description: String {
        switch self {
        case .json(let reason, let byteOffset):
            "the body is no JSON: \(reason) at byte \(byteOffset)"
        case .missingKey(let key, let owner): "\(owner) has no '\(key)'"
        case .repeatedKey(let key, let owner): "\(owner) has '\(key)' twice"
        case .value(let key, let owner, let expected): "'\(key)' of \(owner) must be \(expected)"
        case .input(let name, let reason): "input '\(name)': \(reason)"
        case .output(let name, let reason): "output '\(name)': \(reason)"
        case .mismatch(let path, let expected, let actual): "\(path): expected \(expected), got \(actual)"
        case .header(let name, let reason): "header \(name): \(reason)"
        case .binary(let reason): reason
        case .path(let reason): "bad path: \(reason)"
        case .noRoute(let path): "nothing is at \(path)"
        case .unknownService(let name): "there is no service '\(name)'"
        case .method(let allowed): "this path takes \(allowed.joined(separator: ", ")) only"
        case .contentEncoding(let coding):
            "content-encoding '\(coding)' is not supported; send gzip, deflate or the body as it is"
        case .mediaType(let path): "\(path) takes content-type application/grpc only"
        case .requiresHTTP2: "gRPC needs HTTP/2"
        case .unsupported(let what), .unauthenticated(let what): what
        case .forbidden(let scopes): "the bearer token does not open the scope \(scopes)"
        case .expansion(let reason): "compressed bytes cannot be expanded: \(reason)"
        case .expansionTooLarge(let limit): "the expanded body is longer than \(limit) bytes"
        case .protobuf(let reason, let byteOffset):
            "the message is not the protobuf expected: \(reason) at byte \(byteOffset)"
        case .frame(let reason): reason
        case .limit(let what, let maximum): "more than \(maximum) \(what)"
        case .serving(let error): error.description
        case .control(let error): error.description
        }
    }
}
