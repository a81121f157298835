import Glibc
import HTTPServer
import HTTPTypes
import Threads

/// Answers when the test says so.
final class CountingHandler: RequestHandler {
    private let waiting = Lock<[Responder]>([])

    var waitingCount: Int { waiting.withLock { $0.count } }

    var isNextClientGone: Bool { waiting.withLock { $0.first?.isClientGone ?? false } }

    func waitForRequest() { waiting.wait { $0.isEmpty ? nil : () } }

    /// Whether the server notices within a generous time that the next request's client has gone.
    func comesToSeeClientGone() -> Bool {
        for _ in 0..<10_000 where !isNextClientGone { usleep(1000) }
        return isNextClientGone
    }

    func answerNext() {
        let responder = waiting.wait { $0.isEmpty ? nil : $0.removeFirst() }
        responder.respond(ServerResponse(status: .ok, body: Array("late".utf8)))
    }

    func handle(_ request: ServerRequest, responder: () -> Responder) -> ServerResponse? {
        let responder = responder()
        waiting.withLock { $0.append(responder) }
        waiting.notifyAll()
        return nil
    }

    func errorResponse(
        status: HTTPResponse.Status, message: String, requestContentType: String?
    ) -> ServerResponse {
        ServerResponse(status: status, body: Array(message.utf8))
    }
}
