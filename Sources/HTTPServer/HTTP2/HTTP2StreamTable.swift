import CNGHTTP2

/// The streams of an HTTP/2 connection, as nghttp2 reports them. What must be done about it is left in `events`, for
/// nothing may be submitted while the session reads or writes.
final class HTTP2StreamTable: HTTP2SessionDelegate {
    enum Event {
        case expectsContinue(Int32)
        case requestEnded(Int32)
        case refused(Int32, RequestRefusal)
        /// The last bytes of the answer's body are on their way; trailers may follow.
        case bodyRead(Int32)
        case responseEnded(Int32)
        /// The client costs more than it may.
        case floods
    }

    private let limits: Limits
    private let bodyBudget: BodyBudget
    private(set) var streams: [Int32: HTTP2Stream] = [:]
    private var events: [Event] = []
    private var resets: TokenBucket
    private var hasFlooded = false
    /// The time of the loop's turn.
    var now: MonotonicTime
    /// No stream's deadline is earlier.
    private(set) var earliestDeadline = MonotonicTime.never

    /// Header bytes past the limit by this factor are no mistake; the connection ends.
    private static let headerFloodFactor = 4

    init(limits: Limits, bodyBudget: BodyBudget, now: MonotonicTime) {
        self.limits = limits
        self.bodyBudget = bodyBudget
        self.now = now
        resets = TokenBucket(
            burst: limits.streamResetBurst, perSecond: limits.streamResetsPerSecond, now: now)
    }

    var isEmpty: Bool { streams.isEmpty }
    var hasEvents: Bool { !events.isEmpty }

    func takeEvents() -> [Event] {
        var taken: [Event] = []
        swap(&taken, &events)
        return taken
    }

    func setDeadline(of stream: HTTP2Stream, _ seconds: Double) {
        stream.deadline = now + seconds
        earliestDeadline = min(earliestDeadline, stream.deadline)
    }

    /// The streams whose deadline has come; it is cleared.
    func takeExpired() -> [HTTP2Stream] {
        let expired = streams.values.filter { $0.deadline <= now }
        for stream in expired { stream.deadline = .never }
        earliestDeadline = streams.values.reduce(.never) { min($0, $1.deadline) }
        return expired
    }

    /// The body is not needed any more, or not here.
    func dropBody(of stream: HTTP2Stream) {
        bodyBudget.release(stream.body.count)
        stream.dropBody()
    }

    func abandon() {
        for stream in streams.values { release(stream) }
        streams = [:]
    }

    private func release(_ stream: HTTP2Stream) {
        stream.exchange?.abandon()
        dropBody(of: stream)
    }

    // MARK: - HTTP2SessionDelegate

    func headersBegan(stream identifier: Int32) {
        let stream = HTTP2Stream(identifier: identifier, deadline: now)
        streams[identifier] = stream
        setDeadline(of: stream, limits.headerTimeoutSeconds)
    }

    func header(stream identifier: Int32, name: UnsafeBufferPointer<UInt8>, value: UnsafeBufferPointer<UInt8>)
    {
        guard let stream = streams[identifier] else { return }
        stream.headerSectionByteCount += name.count + value.count
        guard stream.headerSectionByteCount <= floodByteCount else {
            if !hasFlooded { flood() }
            return
        }
        guard stream.refusal == nil else { return }
        do throws(RequestRefusal) {
            try stream.append(name: name, value: value, limits: limits)
        } catch {
            // Answered when the section has ended: nghttp2 takes no answer in its middle.
            stream.refusal = error
        }
    }

    func headersEnded(stream identifier: Int32) {
        guard let stream = streams[identifier], stream.stage == .receivingHead else { return }
        stream.stage = .receivingBody
        setDeadline(of: stream, limits.bodyTimeoutSeconds)
        if let refusal = stream.refusal { return refuseLater(stream, refusal) }
        do throws(RequestRefusal) {
            if try stream.endHead(limits: limits) { events.append(.expectsContinue(identifier)) }
        } catch {
            refuseLater(stream, error)
        }
    }

    func data(stream identifier: Int32, bytes: UnsafeBufferPointer<UInt8>) {
        guard let stream = streams[identifier], !stream.isRefused else { return }
        do throws(RequestRefusal) {
            guard bodyBudget.charge(bytes.count) else { throw .overloaded }
            do throws(RequestRefusal) {
                try stream.appendBody(bytes, limits: limits)
            } catch {
                bodyBudget.release(bytes.count)
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
        if errorCode != NGHTTP2_NO_ERROR.rawValue, !resets.take(now: now), !hasFlooded { flood() }
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
        setDeadline(of: stream, limits.writeTimeoutSeconds)
        let isLast = stream.sentByteCount == response.body.count
        let hasTrailers = response.trailers != nil
        if isLast, hasTrailers { events.append(.bodyRead(identifier)) }
        return HTTP2BodyPart(byteCount: count, isLast: isLast, hasTrailers: hasTrailers)
    }

    // MARK: - Helpers

    private var floodByteCount: Int {
        Self.headerFloodFactor * limits.maximumHeaderByteCount + limits.maximumTargetByteCount
    }

    private func flood() {
        hasFlooded = true
        events.append(.floods)
    }

    private func refuseLater(_ stream: HTTP2Stream, _ refusal: RequestRefusal) {
        stream.isRefused = true
        events.append(.refused(stream.identifier, refusal))
    }
}
