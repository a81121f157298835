import Foundation
import HTTPServer
import HTTPTypes

/// Answers with what was asked: `/echo` the body, `/head` the request's head, `/slow` after 300 ms from a thread of
/// its own, `/zeros?N` N bytes, `/never` not at all, `/trailers` with trailers, `/refused` before the body has come, `/at-once` and
/// `/at-once?N` by what it returns, `/nothing` neither so nor so.
struct EchoHandler: RequestHandler {
    func handle(_ request: ServerRequest, responder: () -> Responder) -> ServerResponse? {
        let path = request.request.path ?? ""
        let plain = ServerResponse(
            status: .ok, headers: [.contentType: "text/plain"], body: Array("ok".utf8))
        if path == "/at-once" { return plain }
        if path.hasPrefix("/at-once?") {
            let count = Int(path.split(separator: "?").last ?? "0") ?? 0
            return ServerResponse(status: .ok, body: [UInt8](repeating: 48, count: count))
        }
        if path == "/nothing" { return nil }
        let responder = responder()
        switch path.split(separator: "?").first.map(String.init) ?? "" {
        case "/echo":
            responder.respond(ServerResponse(status: .ok, body: request.body))
        case "/head":
            let text =
                "\(request.request.method) \(path) \(request.request.authority ?? "-") \(request.version)"
            responder.respond(ServerResponse(status: .ok, body: Array(text.utf8)))
        case "/slow":
            let body = Array(path.utf8)
            Foundation.Thread.detachNewThread {
                usleep(300_000)
                responder.respond(ServerResponse(status: .ok, body: body))
            }
        case "/zeros":
            let count = Int(path.split(separator: "?").last ?? "0") ?? 0
            responder.respond(ServerResponse(status: .ok, body: [UInt8](repeating: 48, count: count)))
        case "/never":
            break
        case "/empty":
            responder.respond(ServerResponse(status: .noContent))
        case "/trailers":
            responder.respond(
                ServerResponse(
                    status: .ok, headers: [.contentType: "application/grpc"], body: request.body,
                    trailers: [HTTPField.Name("grpc-status")!: "0"]))
        case "/early":
            responder.respond(ServerResponse(status: 100))
        default:
            responder.respond(plain)
        }
        return nil
    }

    func earlyResponse(to request: HTTPRequest, version: HTTPVersion) -> ServerResponse? {
        request.path == "/refused"
            ? ServerResponse(status: .unauthorized, body: Array("no \(version)".utf8)) : nil
    }

    func errorResponse(
        status: HTTPResponse.Status, message: String, requestContentType: String?
    ) -> ServerResponse {
        ServerResponse(
            status: status, headers: [.contentType: "application/json"],
            body: Array("{\"error\":\"\(message)\"}".utf8))
    }
}
