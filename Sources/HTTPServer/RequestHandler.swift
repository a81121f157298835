package import HTTPTypes

/// What the server asks for its answers.
package protocol RequestHandler: Sendable {
    /// Runs on a loop thread and must not block. Returns the answer where it is known at once; otherwise calls `responder`,
    /// once, and answers through what that made, from any thread. With neither, the client gets 500.
    func handle(_ request: ServerRequest, responder: () -> Responder) -> ServerResponse?

    /// The answer to a request that the server itself refuses (400, 413, 431, 408, 505, …). Must not block.
    /// `requestContentType` is what the request said of itself, as far as it was read.
    func errorResponse(
        status: HTTPResponse.Status, message: String, requestContentType: String?
    ) -> ServerResponse

    /// The answer to a request whose body need not arrive, asked once its head has, before anything is kept of the
    /// body; `nil` to receive it. Not asked where no body follows. Must not block.
    func earlyResponse(to request: HTTPRequest, version: HTTPVersion) -> ServerResponse?
}

extension RequestHandler {
    package func earlyResponse(to request: HTTPRequest, version: HTTPVersion) -> ServerResponse? { nil }
}
