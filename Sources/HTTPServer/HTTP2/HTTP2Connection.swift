import CNGHTTP2

/// The exchanges of an HTTP/2 connection. nghttp2's callbacks append to `events`; they are acted on afterwards.
final class HTTP2Connection: ApplicationProtocol {
    /// RFC 9113 §3.4.
    static let clientPreface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)

    private enum Event {
        case expectsContinue(Int32)
        case requestEnded(Int32)
        case refused(Int32, RequestRefusal)
        case answeredEarly(Int32, ServerResponse)
        case bodyRead(Int32)
        case responseEnded(Int32)
        case floods
    }

    private let context: ConnectionContext
    private var session: HTTP2Session!
    // The loop's thread alone comes here, and no method of these two calls anything that could come back: the checks at run
    // time, several a request, would find nothing.
    @exclusivity(unchecked) private var streams = HTTP2StreamTable()
    /// The head that is arriving: RFC 9113 §4.3, no other frame comes between.
    @exclusivity(unchecked) private var section = HTTP2HeaderSection()
    /// What the head before means.
    private var knownHead: HTTP2Head?
    private var events: [Event] = []
    private var resets: TokenBucket
    private var now: MonotonicTime
    private var hasFailed = false
    private var hasInputEnded = false
    private var isTerminated = false
    /// No stream's deadline is earlier.
    private var earliestStreamDeadline = MonotonicTime.never
    /// For a connection without streams, or, in a drain, for the final GOAWAY.
    private var connectionDeadline: MonotonicTime
    private var isDraining = false

    /// Frames are gathered up to this size before they are written.
    private static let maximumGatheredByteCount = 256 << 10
    /// Header bytes past the limit by this factor are no mistake; the connection ends.
    private static let headerFloodFactor = 4

    init(context: ConnectionContext, now: MonotonicTime) {
        self.context = context
        self.now = now
        resets = TokenBucket(
            burst: context.limits.streamResetBurst, perSecond: context.limits.streamResetsPerSecond, now: now)
        connectionDeadline = now + context.limits.idleTimeoutSeconds
        session = HTTP2Session(of: self, limits: context.limits)
    }

    var wantsInput: Bool { !hasFailed && !hasInputEnded && !isTerminated && session.wantsInput }

    /// As many as there may be streams are answered in a turn.
    var holdsRequests: Bool { false }
    func turnEnded() {}

    var isFinished: Bool {
        if hasFailed || (!session.wantsInput && !session.wantsOutput) { return true }
        // What is incomplete will never be completed.
        return hasInputEnded && !streams.all.contains { $0.stage == .answering || $0.stage == .sending }
    }

    var deadline: MonotonicTime { min(earliestStreamDeadline, connectionDeadline) }

    func receive(_ bytes: UnsafeBufferPointer<UInt8>, now: MonotonicTime) {
        self.now = now
        guard session.receive(bytes) else {
            hasFailed = true
            return
        }
        handleEvents()
        restartIdleDeadline()
    }

    func inputEnded() { hasInputEnded = true }

    func complete(exchange number: Int, with response: ServerResponse?, now: MonotonicTime) {
        self.now = now
        guard let identifier = Int32(exactly: number), let stream = stream(identifier),
            stream.stage == .answering
        else { return }
        answer(stream, response)
    }

    private func answer(_ stream: HTTP2Stream, _ response: ServerResponse?) {
        if let response, (200...599).contains(response.status.code) { return send(response, on: stream) }
        send(context.unansweredResponse(requestContentType: stream.head?.contentType), on: stream)
    }

    func produce(into output: inout OutputQueue, now: MonotonicTime) {
        self.now = now
        while output.byteCount < Self.maximumGatheredByteCount, !hasFailed {
            if let bytes = session.nextOutput() {
                output.append(bytes)
                if !events.isEmpty { handleEvents() }
            } else if events.isEmpty {
                break
            } else {
                handleEvents()
            }
        }
        restartIdleDeadline()
    }

    /// RFC 9113 §6.7: a PING may be sent at any time.
    func appendProbe(to output: inout OutputQueue, now: MonotonicTime) {
        guard streams.all.contains(where: { $0.stage == .answering }) else { return }
        session.submitPing()
        produce(into: &output, now: now)
    }

    func drain(now: MonotonicTime) {
        guard !isDraining else { return }
        isDraining = true
        session.announceShutdown()
        connectionDeadline = now + context.limits.drainGraceSeconds
    }

    func deadlineReached(now: MonotonicTime) {
        self.now = now
        if connectionDeadline <= now {
            // In a drain the streams that are open are still answered.
            isDraining ? session.goAway() : terminate(NGHTTP2_NO_ERROR)
            connectionDeadline = .never
        }
        for stream in streams.all where stream.deadline <= now { expire(stream) }
        handleEvents()
        earliestStreamDeadline = streams.all.reduce(.never) { min($0, $1.deadline) }
    }

    func abandon() {
        for stream in streams.all { release(stream) }
        streams.removeAll()
    }

    // MARK: - Events

    private func handleEvents() {
        while !events.isEmpty {
            var batch: [Event] = []
            swap(&batch, &events)
            for event in batch { handle(event) }
        }
    }

    private func handle(_ event: Event) {
        switch event {
        case .expectsContinue(let identifier):
            guard let stream = stream(identifier), !stream.hasRequestEnded, stream.body.count == 0 else {
                return
            }
            session.submitContinue(stream: identifier)
        case .requestEnded(let identifier):
            guard let stream = stream(identifier), !stream.isRefused else { return }
            dispatch(stream)
        case .refused(let identifier, let refusal):
            guard let stream = stream(identifier) else { return }
            refuse(stream, refusal)
        case .answeredEarly(let identifier, let response):
            guard let stream = stream(identifier) else { return }
            send(response, on: stream)
        case .bodyRead(let identifier):
            guard let trailers = stream(identifier)?.trailers else { return }
            session.submitTrailers(stream: identifier, fields: .trailers(trailers))
        case .responseEnded(let identifier):
            guard let stream = stream(identifier), !stream.hasRequestEnded else { return }
            // A client may take a reset for a failure before it has looked at the answer: let it finish for a while.
            stream.stage = .lingering
            setDeadline(of: stream, context.limits.lingerTimeoutSeconds)
        case .floods:
            context.logger.debug("closed an HTTP/2 connection that floods")
            terminate(NGHTTP2_ENHANCE_YOUR_CALM)
        }
    }

    private func dispatch(_ stream: HTTP2Stream) {
        context.bodyBudget.release(stream.body.count)
        guard let request = stream.takeRequest() else { preconditionFailure("a refused request goes on") }
        stream.stage = .answering
        stream.deadline = .never
        switch context.dispatch(request, exchange: Int(stream.identifier)) {
        case .answered(let response): answer(stream, response)
        case .awaited(let exchange): stream.exchange = exchange
        }
    }

    private func refuse(_ stream: HTTP2Stream, _ refusal: RequestRefusal) {
        context.logger.debug("refused a request", metadata: ["reason": "\(refusal)"])
        context.bodyBudget.release(stream.body.count)
        stream.dropBody()
        stream.isRefused = true
        send(
            context.refusalResponse(refusal, requestContentType: stream.head?.contentType), on: stream)
    }

    private func send(_ response: ServerResponse, on stream: HTTP2Stream) {
        stream.stage = .sending
        setDeadline(of: stream, context.limits.writeTimeoutSeconds)
        let hasBody =
            stream.head?.isHeadMethod != true && response.mayHaveBody
            && (!response.body.isEmpty || response.trailers != nil)
        if hasBody {
            stream.responseBody = response.body
            stream.trailers = response.trailers
        }
        session.submit(response, stream: stream.identifier, date: context.date.text, hasBody: hasBody)
    }

    private func stream(_ identifier: Int32) -> HTTP2Stream? { streams.find(identifier) }

    private func terminate(_ code: nghttp2_error_code) {
        guard !isTerminated else { return }
        isTerminated = true
        session.terminate(code)
    }

    private func release(_ stream: HTTP2Stream) {
        stream.exchange?.abandon()
        context.bodyBudget.release(stream.body.count)
    }

    // MARK: - Time

    private func expire(_ stream: HTTP2Stream) {
        stream.deadline = .never
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

    private func setDeadline(of stream: HTTP2Stream, _ seconds: Double) {
        stream.deadline = now + seconds
        earliestStreamDeadline = min(earliestStreamDeadline, stream.deadline)
    }

    private func restartIdleDeadline() {
        guard !isDraining, !isTerminated else { return }
        if streams.isEmpty {
            if connectionDeadline == .never { connectionDeadline = now + context.limits.idleTimeoutSeconds }
        } else {
            connectionDeadline = .never
        }
    }
}

/// What nghttp2 reports while it reads or writes: these append to state, and never call the session.
extension HTTP2Connection {
    func headersBegan(stream identifier: Int32) {
        let stream = HTTP2Stream(identifier: identifier, deadline: now)
        streams.append(stream)
        section.begin(stream: identifier)
        setDeadline(of: stream, context.limits.headerTimeoutSeconds)
    }

    func header(stream identifier: Int32, name: UnsafeBufferPointer<UInt8>, value: UnsafeBufferPointer<UInt8>)
    {
        if section.stream == identifier, section.byteCount <= floodByteCount {
            section.append(name: name, value: value)
            if section.byteCount > floodByteCount, !isTerminated { events.append(.floods) }
            return
        }
        // A trailer, or more of a flood.
        guard let stream = stream(identifier), stream.stage != .receivingHead else { return }
        do throws(RequestRefusal) {
            try stream.countTrailer(name.count + value.count, limits: context.limits)
        } catch {
            // Answered when the section has ended: nghttp2 takes no answer in its middle.
            if stream.refusal == nil { stream.refusal = error }
            if stream.trailerByteCount > floodByteCount, !isTerminated { events.append(.floods) }
        }
    }

    /// The end of a header section, be it the head or the trailers.
    func headersEnded(stream identifier: Int32, endsStream: Bool) {
        guard let stream = stream(identifier), stream.stage == .receivingHead else { return }
        stream.stage = .receivingBody
        stream.bodyStart = now
        setDeadline(of: stream, context.limits.bodyTimeoutSeconds)
        let head = readHead()
        stream.endHead(head, limits: context.limits)
        guard let request = head.request else { return refuseLater(stream, head.refusal!) }
        if endsStream { return }
        if let response = context.handler.earlyResponse(to: request, version: .http2) {
            stream.isRefused = true
            events.append(.answeredEarly(identifier, response))
        } else if head.expectsContinue {
            events.append(.expectsContinue(identifier))
        }
    }

    /// What the section that has arrived means.
    private func readHead() -> HTTP2Head {
        defer { section.end() }
        if let knownHead, section.isRepetition { return knownHead }
        let head = HTTP2Head(&section, limits: context.limits)
        knownHead = head
        return head
    }

    func data(stream identifier: Int32, bytes: UnsafeBufferPointer<UInt8>) {
        guard let stream = stream(identifier), !stream.isRefused else { return }
        do throws(RequestRefusal) {
            guard context.bodyBudget.charge(bytes.count) else { throw .overloaded }
            do throws(RequestRefusal) {
                try stream.appendBody(bytes, limits: context.limits)
            } catch {
                context.bodyBudget.release(bytes.count)
                throw error
            }
            guard stream.stage == .receivingBody else { return }
            stream.deadline = context.limits.bodyDeadline(
                start: stream.bodyStart, byteCount: stream.body.count, now: now)
        } catch {
            refuseLater(stream, error)
        }
    }

    func requestEnded(stream identifier: Int32) {
        guard let stream = stream(identifier) else { return }
        stream.hasRequestEnded = true
        if stream.refusal != nil, !stream.isRefused { return refuseLater(stream, stream.refusal!) }
        if !stream.isRefused { events.append(.requestEnded(identifier)) }
    }

    func streamClosed(stream identifier: Int32, errorCode: UInt32) {
        if let stream = streams.remove(identifier) { release(stream) }
        // RFC 9113 §10.5: streams that are begun and reset cost us more than the client.
        if errorCode != NGHTTP2_NO_ERROR.rawValue, !resets.take(now: now) { events.append(.floods) }
    }

    /// A frame that ends our side of the stream has been written.
    func responseEnded(stream identifier: Int32) {
        if stream(identifier)?.hasRequestEnded == false { events.append(.responseEnded(identifier)) }
    }

    /// Copies the next bytes of the answer's body; returns how many, and whether they are the last.
    func readBody(stream identifier: Int32, into buffer: UnsafeMutableBufferPointer<UInt8>) -> HTTP2BodyPart {
        guard let stream = stream(identifier) else {
            return HTTP2BodyPart(byteCount: 0, isLast: true, hasTrailers: false)
        }
        let (body, sent) = (stream.responseBody, stream.sentByteCount)
        let count = min(buffer.count, body.count - sent)
        body.withUnsafeBufferPointer { body in
            _ = buffer.update(fromContentsOf: UnsafeBufferPointer(rebasing: body[sent..<sent + count]))
        }
        stream.sentByteCount = sent + count
        setDeadline(of: stream, context.limits.writeTimeoutSeconds)
        let isLast = sent + count == body.count
        let hasTrailers = stream.trailers != nil
        if isLast, hasTrailers { events.append(.bodyRead(identifier)) }
        return HTTP2BodyPart(byteCount: count, isLast: isLast, hasTrailers: hasTrailers)
    }

    private var floodByteCount: Int {
        Self.headerFloodFactor * context.limits.maximumHeaderByteCount + context.limits.maximumTargetByteCount
    }

    private func refuseLater(_ stream: HTTP2Stream, _ refusal: RequestRefusal) {
        stream.isRefused = true
        events.append(.refused(stream.identifier, refusal))
    }
}
