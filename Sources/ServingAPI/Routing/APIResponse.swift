import HTTPServer
import HTTPTypes

/// The answers that endpoints give.
enum APIResponse {
    /// Without a charset: KServe's client drops an error's message otherwise.
    static let jsonContentType = "application/json"

    static func json(_ body: [UInt8], status: HTTPResponse.Status = .ok) -> ServerResponse {
        ServerResponse(status: status, headers: [.contentType: jsonContentType], body: body)
    }

    static func json(_ members: (inout JSONWriter) -> Void) -> ServerResponse {
        var writer = JSONWriter()
        writer.object(members)
        return json(writer.bytes)
    }

    static func error(status: HTTPResponse.Status, message: String) -> ServerResponse {
        var writer = JSONWriter()
        writer.object { writer in
            writer.key("error")
            writer.string(message)
        }
        return json(writer.bytes, status: status)
    }

    static func error(_ error: RequestError) -> ServerResponse {
        var response = Self.error(status: error.status, message: error.description)
        if case .method(let allowed) = error {
            response.headers[.allow] = allowed.joined(separator: ", ")
        }
        if case .serving(let serving) = error, let milliseconds = serving.retryMilliseconds {
            response.headers[.retryAfter] = String(
                max(1, milliseconds / 1000 + (milliseconds % 1000 == 0 ? 0 : 1)))
        }
        if case .unauthenticated = error { response.headers[.wwwAuthenticate] = "Bearer" }
        return response
    }
}
