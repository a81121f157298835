@testable import HTTPServer
import HTTPTypes
import Logging
import Threads

/// One connection of the server without its socket: bytes in pieces, answers at once or late, and what came of it.
package struct FuzzedConnection {
    package enum Kind { case http1, http2 }

    private struct FixedClock: Clock {
        func now() -> MonotonicTime { MonotonicTime(nanoseconds: 1) }
        func secondsSinceEpoch() -> Int { 0 }
    }

    private static let mailbox = { () -> Mailbox in
        guard let mailbox = try? Mailbox() else { fatalError("no event descriptor") }
        return mailbox
    }()

    private let limits: Limits
    private let budget: BodyBudget
    private let handler = FuzzHandler()
    private let connection: any ApplicationProtocol
    private let now = MonotonicTime(nanoseconds: 1)

    package init(_ kind: Kind) {
        var limits = Limits()
        limits.maximumHeaderByteCount = 1 << 10
        limits.maximumHeaderCount = 16
        limits.maximumTargetByteCount = 256
        limits.maximumBodyByteCount = 1 << 12
        limits.maximumBufferedByteCount = 1 << 13
        limits.maximumChunkExtensionByteCount = 64
        limits.maximumConcurrentStreams = 8
        limits.maximumPipelinedRequests = 4
        limits.streamResetBurst = 20
        self.limits = limits
        _ = Self.mailbox.takeAll()
        budget = BodyBudget(limit: limits.maximumBufferedByteCount)
        let context = ConnectionContext(
            registration: Registration(descriptor: 1, number: 1), scheme: "http", limits: limits,
            handler: handler, mailbox: Self.mailbox, bodyBudget: budget, date: DateCache(clock: FixedClock()),
            logger: Logger(label: "fuzz") { _ in SwiftLogNoOpLogHandler() })
        connection =
            switch kind {
            case .http1: HTTP1Connection(context: context, now: now)
            case .http2: HTTP2Connection(context: context, now: now)
            }
    }

    /// Delivers the pieces as a loop would; returns requests and refusals in order.
    package func run(_ pieces: [Slice<UnsafeBufferPointer<UInt8>>]) -> [String] {
        for piece in pieces where !piece.isEmpty {
            if !connection.wantsInput { answerAll() }
            guard connection.wantsInput, !connection.isFinished else { break }
            connection.receive(UnsafeBufferPointer(rebasing: piece), now: now)
            turn()
        }
        answerAll()
        connection.inputEnded()
        turn()
        connection.abandon()
        _ = handler.answerHeld()
        _ = Self.mailbox.takeAll()
        // Nothing may be charged any more.
        precondition(budget.charge(limits.maximumBufferedByteCount), "the body budget leaks")
        budget.release(limits.maximumBufferedByteCount)
        return handler.takeSeen()
    }

    /// Late answers too, and those to requests that they make room for.
    private func answerAll() {
        repeat { turn() } while handler.answerHeld()
    }

    /// Hands answers over and takes the output until nothing moves.
    private func turn() {
        var output = OutputQueue()
        var moved = true
        while moved {
            connection.turnEnded()
            moved = connection.holdsRequests
            for message in Self.mailbox.takeAll() {
                moved = true
                switch message {
                case .response(let address, let response):
                    connection.complete(exchange: address.exchange, with: response, now: now)
                case .unanswered(let address):
                    connection.complete(exchange: address.exchange, with: nil, now: now)
                default: fatalError("a message to the loop")
                }
            }
            connection.produce(into: &output, now: now)
            while !output.isEmpty {
                moved = true
                precondition(output.flush { bytes, _ in bytes.count })
                connection.produce(into: &output, now: now)
            }
        }
    }
}

/// Answers by the first letter of the path: /h late, /d never, /n with 204 by the mailbox, /t with trailers, others with
/// their path.
private final class FuzzHandler: RequestHandler {
    private struct State {
        var seen: [String] = []
        var held: [Responder] = []
    }
    private let state = Lock(State())

    func handle(_ request: ServerRequest, responder: () -> Responder) -> ServerResponse? {
        let path = request.request.path ?? ""
        let body = String(decoding: request.body, as: UTF8.self)
        let fields = request.request.headerFields.map { "\($0.name)=\($0.value)" }.joined(separator: ";")
        let text = "\(request.request.method) \(request.request.authority ?? "") \(path) \(fields) \(body)"
        state.withLock { $0.seen.append(text) }
        switch path.utf8.dropFirst().first {
        case UInt8(ascii: "h"):
            let responder = responder()
            state.withLock { $0.held.append(responder) }
        case UInt8(ascii: "d"): _ = responder()
        case UInt8(ascii: "t"):
            return ServerResponse(status: .ok, body: [1, 2], trailers: [.init("x")!: "y"])
        case UInt8(ascii: "n"): responder().respond(ServerResponse(status: .noContent))
        default: return ServerResponse(status: .ok, body: Array(path.utf8))
        }
        return nil
    }

    func errorResponse(
        status: HTTPResponse.Status, message: String, requestContentType: String?
    ) -> ServerResponse {
        // That a handler gave no answer shows when it does: behind later requests where they came at once.
        if status != .internalServerError { state.withLock { $0.seen.append("\(status.code)") } }
        return ServerResponse(status: status, body: Array(message.utf8))
    }

    func earlyResponse(to request: HTTPRequest, version: HTTPVersion) -> ServerResponse? {
        request.path?.hasPrefix("/e") == true ? ServerResponse(status: .notFound) : nil
    }

    /// Returns whether there were any.
    func answerHeld() -> Bool {
        let held = state.withLock { state in
            defer { state.held = [] }
            return state.held
        }
        for responder in held.reversed() { responder.respond(ServerResponse(status: .ok, body: [3])) }
        return !held.isEmpty
    }

    func takeSeen() -> [String] { state.withLock { $0.seen } }
}
