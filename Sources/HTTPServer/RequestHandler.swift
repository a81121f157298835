package import HTTPTypes

/// What the server asks for its answers.
package protocol RequestHandler: Sendable {
    /// Runs on a loop thread and must not block; `responder.respond` may be called from any thread, once.
    func handle(_ request: ServerRequest, responder: Responder)

    /// The answer to a request that the server itself refuses (400, 413, 431, 408, 505, …). Must not block.
    func errorResponse(status: HTTPResponse.Status, message: String) -> ServerResponse
}
