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
    private var streams: [Int32: HTTP2Stream] = [:]
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
        session = HTTP2Session(delegate: self, limits: context.limits)
    }

    var wantsInput: Bool { !hasFailed && !hasInputEnded && !isTerminated && session.wantsInput }

    var isFinished: Bool {
        if hasFailed || (!session.wantsInput && !session.wantsOutput) { return true }
        // What is incomplete will never be completed.
        return hasInputEnded && !streams.values.contains { $0.stage == .answering || $0.stage == .sending }
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
        guard let identifier = Int32(exactly: number), let stream = streams[identifier],
            stream.stage == .answering
        else { return }
        let isValid = response.map { (200...599).contains($0.status.code) } ?? false
        send(
            isValid
                ? response! : context.unansweredResponse(requestContentType: stream.contentType), on: stream)
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
        guard streams.values.contains(where: { $0.stage == .answering }) else { return }
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
        for stream in streams.values where stream.deadline <= now { expire(stream) }
        handleEvents()
        earliestStreamDeadline = streams.values.reduce(.never) { min($0, $1.deadline) }
    }

    func abandon() {
        for stream in streams.values { release(stream) }
        streams = [:]
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
            guard let stream = streams[identifier], !stream.hasRequestEnded, stream.body.count == 0 else {
                return
            }
            session.submitContinue(stream: identifier)
        case .requestEnded(let identifier):
            guard let stream = streams[identifier], !stream.isRefused else { return }
            dispatch(stream)
        case .refused(let identifier, let refusal):
            guard let stream = streams[identifier] else { return }
            refuse(stream, refusal)
        case .answeredEarly(let identifier, let response):
            guard let stream = streams[identifier] else { return }
            send(response, on: stream)
        case .bodyRead(let identifier):
            guard let trailers = streams[identifier]?.response?.trailers else { return }
            session.submitTrailers(stream: identifier, fields: .trailers(trailers))
        case .responseEnded(let identifier):
            guard let stream = streams[identifier], !stream.hasRequestEnded else { return }
            // A client may take a reset for a failure before it has looked at the answer: let it finish for a while.
            stream.stage = .lingering
            setDeadline(of: stream, context.limits.lingerTimeoutSeconds)
        case .floods:
            context.logger.debug("closed an HTTP/2 connection that floods")
            terminate(NGHTTP2_ENHANCE_YOUR_CALM)
        }
    }

    private func dispatch(_ stream: HTTP2Stream) {
        do throws(RequestRefusal) {
            stream.stage = .answering
            stream.deadline = .never
            context.bodyBudget.release(stream.body.count)
            let request = try stream.takeRequest()
            stream.exchange = context.dispatch(request, exchange: Int(stream.identifier))
        } catch {
            refuse(stream, error)
        }
    }

    private func refuse(_ stream: HTTP2Stream, _ refusal: RequestRefusal) {
        context.logger.debug("refused a request", metadata: ["reason": "\(refusal)"])
        context.bodyBudget.release(stream.body.count)
        stream.dropBody()
        stream.isRefused = true
        send(
            context.refusalResponse(refusal, requestContentType: stream.contentType), on: stream)
    }

    private func send(_ response: ServerResponse, on stream: HTTP2Stream) {
        stream.stage = .sending
        setDeadline(of: stream, context.limits.writeTimeoutSeconds)
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

extension HTTP2Connection: HTTP2SessionDelegate {
    func headersBegan(stream identifier: Int32) {
        let stream = HTTP2Stream(identifier: identifier, deadline: now)
        streams[identifier] = stream
        setDeadline(of: stream, context.limits.headerTimeoutSeconds)
    }

    func header(stream identifier: Int32, name: UnsafeBufferPointer<UInt8>, value: UnsafeBufferPointer<UInt8>)
    {
        guard let stream = streams[identifier] else { return }
        stream.headerSectionByteCount += name.count + value.count
        guard stream.headerSectionByteCount <= floodByteCount else {
            if !isTerminated { events.append(.floods) }
            return
        }
        guard stream.refusal == nil else { return }
        do throws(RequestRefusal) {
            try stream.append(name: name, value: value, limits: context.limits)
        } catch {
            // Answered when the section has ended: nghttp2 takes no answer in its middle.
            stream.refusal = error
        }
    }

    func headersEnded(stream identifier: Int32, endsStream: Bool) {
        guard let stream = streams[identifier], stream.stage == .receivingHead else { return }
        stream.stage = .receivingBody
        setDeadline(of: stream, context.limits.bodyTimeoutSeconds)
        if let refusal = stream.refusal { return refuseLater(stream, refusal) }
        do throws(RequestRefusal) {
            let expectsContinue = try stream.endHead(limits: context.limits)
            if endsStream { return }
            if let response = context.handler.earlyResponse(to: try stream.head(), version: .http2) {
                stream.isRefused = true
                events.append(.answeredEarly(identifier, response))
            } else if expectsContinue {
                events.append(.expectsContinue(identifier))
            }
        } catch {
            refuseLater(stream, error)
        }
    }

    func data(stream identifier: Int32, bytes: UnsafeBufferPointer<UInt8>) {
        guard let stream = streams[identifier], !stream.isRefused else { return }
        do throws(RequestRefusal) {
            guard context.bodyBudget.charge(bytes.count) else { throw .overloaded }
            do throws(RequestRefusal) {
                try stream.appendBody(bytes, limits: context.limits)
            } catch {
                context.bodyBudget.release(bytes.count)
                throw error
            }
        } catch {
            refuseLater(stream, error)
        }
    }

    func requestEnded(stream identifier: Int32) {
        guard let stream = streams[identifier] else { return }
        stream.hasRequestEnded = true
        if stream.refusal != nil, !stream.isRefused { return refuseLater(stream, stream.refusal!) }
        if !stream.isRefused { events.append(.requestEnded(identifier)) }
    }

    func streamClosed(stream identifier: Int32, errorCode: UInt32) {
        if let stream = streams.removeValue(forKey: identifier) { release(stream) }
        // RFC 9113 §10.5: streams that are begun and reset cost us more than the client.
        if errorCode != NGHTTP2_NO_ERROR.rawValue, !resets.take(now: now) { events.append(.floods) }
    }

    func responseEnded(stream identifier: Int32) {
        if streams[identifier]?.hasRequestEnded == false { events.append(.responseEnded(identifier)) }
    }

    func readBody(stream identifier: Int32, into buffer: UnsafeMutableBufferPointer<UInt8>) -> HTTP2BodyPart {
        guard let stream = streams[identifier], let response = stream.response else {
            return HTTP2BodyPart(byteCount: 0, isLast: true, hasTrailers: false)
        }
        let count = min(buffer.count, response.body.count - stream.sentByteCount)
        response.body.withUnsafeBufferPointer { body in
            let part = UnsafeBufferPointer(
                rebasing: body[stream.sentByteCount..<stream.sentByteCount + count])
            _ = buffer.update(fromContentsOf: part)
        }
        stream.sentByteCount += count
        setDeadline(of: stream, context.limits.writeTimeoutSeconds)
        let isLast = stream.sentByteCount == response.body.count
        let hasTrailers = response.trailers != nil
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
