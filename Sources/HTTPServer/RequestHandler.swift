package import HTTPTypes

/// What the server asks for its answers.
package protocol RequestHandler: Sendable {
    /// Runs on a loop thread and must not block; `responder.respond` may be called from any thread, once.
    func handle(_ request: ServerRequest, responder: Responder)

    /// The answer to a request that the server itself refuses (400, 413, 431, 408, 505, …). Must not block.
    /// `requestContentType` is what the request said of itself, as far as it was read.
    func errorResponse(
        status: HTTPResponse.Status, message: String, requestContentType: String?
    ) -> ServerResponse

    /// The answer to a request whose body need not arrive, asked over HTTP/2 once its head has; `nil` to receive it.
    /// Must not block.
    func earlyResponse(path: String, contentType: String?) -> ServerResponse?
}

extension RequestHandler {
    package func earlyResponse(path: String, contentType: String?) -> ServerResponse? { nil }
}
