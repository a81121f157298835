import CNGHTTP2

/// The exchanges of an HTTP/2 connection: acts on the events that nghttp2's callbacks leave in the stream table.
final class HTTP2Connection: ApplicationProtocol {
    /// RFC 9113 §3.4.
    static let clientPreface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)

    private let context: ConnectionContext
    private let session: HTTP2Session
    private let table: HTTP2StreamTable
    private var hasFailed = false
    private var hasInputEnded = false
    private var isTerminated = false
    /// For a connection without streams, or, in a drain, for the final GOAWAY.
    private var connectionDeadline: MonotonicTime
    private var isDraining = false

    /// Frames are gathered up to this size before they are written.
    private static let maximumGatheredByteCount = 256 << 10

    init(context: ConnectionContext, now: MonotonicTime) {
        self.context = context
        table = HTTP2StreamTable(limits: context.limits, bodyBudget: context.bodyBudget, now: now)
        session = HTTP2Session(delegate: table, limits: context.limits)
        connectionDeadline = now + context.limits.idleTimeoutSeconds
    }

    var wantsInput: Bool { !hasFailed && !hasInputEnded && !isTerminated && session.wantsInput }

    var isFinished: Bool {
        if hasFailed || (!session.wantsInput && !session.wantsOutput) { return true }
        // What is incomplete will never be completed.
        return hasInputEnded
            && !table.streams.values.contains { $0.stage == .answering || $0.stage == .sending }
    }

    var deadline: MonotonicTime { min(table.earliestDeadline, connectionDeadline) }

    func receive(_ bytes: UnsafeBufferPointer<UInt8>, now: MonotonicTime) {
        table.now = now
        guard session.receive(bytes) else {
            hasFailed = true
            return
        }
        handleEvents()
        restartIdleDeadline()
    }

    func inputEnded() { hasInputEnded = true }

    func complete(exchange number: Int, with response: ServerResponse?, now: MonotonicTime) {
        table.now = now
        guard let identifier = Int32(exactly: number), let stream = table.streams[identifier],
            stream.stage == .answering
        else { return }
        let isValid = response.map { (200...599).contains($0.status.code) } ?? false
        send(isValid ? response! : context.unansweredResponse(), on: stream)
    }

    func produce(into output: inout OutputQueue, now: MonotonicTime) {
        table.now = now
        while output.byteCount < Self.maximumGatheredByteCount, !hasFailed {
            if let bytes = session.nextOutput() {
                output.append(bytes)
                if table.hasEvents { handleEvents() }
            } else if !table.hasEvents {
                break
            } else {
                handleEvents()
            }
        }
        restartIdleDeadline()
    }

    func drain(now: MonotonicTime) {
        guard !isDraining else { return }
        isDraining = true
        session.announceShutdown()
        connectionDeadline = now + context.limits.drainGraceSeconds
    }

    func deadlineReached(now: MonotonicTime) {
        table.now = now
        if connectionDeadline <= now {
            // In a drain the streams that are open are still answered.
            isDraining ? session.goAway() : terminate(NGHTTP2_NO_ERROR)
            connectionDeadline = .never
        }
        for stream in table.takeExpired() { expire(stream) }
        handleEvents()
    }

    func abandon() { table.abandon() }

    // MARK: - Events

    private func handleEvents() {
        while table.hasEvents {
            for event in table.takeEvents() { handle(event) }
        }
    }

    private func handle(_ event: HTTP2StreamTable.Event) {
        switch event {
        case .expectsContinue(let identifier):
            guard let stream = table.streams[identifier], !stream.hasRequestEnded, stream.body.count == 0
            else {
                return
            }
            session.submitContinue(stream: identifier)
        case .requestEnded(let identifier):
            guard let stream = table.streams[identifier], !stream.isRefused else { return }
            dispatch(stream)
        case .refused(let identifier, let refusal):
            guard let stream = table.streams[identifier] else { return }
            refuse(stream, refusal)
        case .bodyRead(let identifier):
            guard let trailers = table.streams[identifier]?.response?.trailers else { return }
            session.submitTrailers(stream: identifier, fields: .trailers(trailers))
        case .responseEnded(let identifier):
            guard let stream = table.streams[identifier], !stream.hasRequestEnded else { return }
            // A client may take a reset for a failure before it has looked at the answer: let it finish for a while.
            stream.stage = .lingering
            table.setDeadline(of: stream, context.limits.lingerTimeoutSeconds)
        case .floods:
            context.logger.debug("closed an HTTP/2 connection that floods")
            terminate(NGHTTP2_ENHANCE_YOUR_CALM)
        }
    }

    private func dispatch(_ stream: HTTP2Stream) {
        do throws(RequestRefusal) {
            stream.stage = .answering
            stream.deadline = .never
            let request = try stream.request()
            table.dropBody(of: stream)
            stream.exchange = context.dispatch(request, exchange: Int(stream.identifier))
        } catch {
            refuse(stream, error)
        }
    }

    private func refuse(_ stream: HTTP2Stream, _ refusal: RequestRefusal) {
        context.logger.debug("refused a request", metadata: ["reason": "\(refusal)"])
        table.dropBody(of: stream)
        stream.isRefused = true
        send(context.refusalResponse(refusal), on: stream)
    }

    private func send(_ response: ServerResponse, on stream: HTTP2Stream) {
        stream.stage = .sending
        table.setDeadline(of: stream, context.limits.writeTimeoutSeconds)
        let hasBody =
            !stream.isHead && response.mayHaveBody && (!response.body.isEmpty || response.trailers != nil)
        stream.response = response
        session.submitResponse(
            stream: stream.identifier, fields: .head(of: response, date: context.date.text), hasBody: hasBody)
    }

    private func terminate(_ code: nghttp2_error_code) {
        guard !isTerminated else { return }
        isTerminated = true
        session.terminate(code)
    }

    // MARK: - Time

    private func expire(_ stream: HTTP2Stream) {
        switch stream.stage {
        // The rest of a header section holds up the whole connection.
        case .receivingHead: terminate(NGHTTP2_ENHANCE_YOUR_CALM)
        case .receivingBody: refuse(stream, .bodyTimeout)
        case .answering: break
        case .sending: session.reset(stream: stream.identifier, errorCode: NGHTTP2_CANCEL)
        // RFC 9113 §8.1: the answer is complete, the rest of the request is not wanted.
        case .lingering: session.reset(stream: stream.identifier, errorCode: NGHTTP2_NO_ERROR)
        }
    }

    private func restartIdleDeadline() {
        guard !isDraining, !isTerminated else { return }
        if table.isEmpty {
            if connectionDeadline == .never {
                connectionDeadline = table.now + context.limits.idleTimeoutSeconds
            }
        } else {
            connectionDeadline = .never
        }
    }
}
