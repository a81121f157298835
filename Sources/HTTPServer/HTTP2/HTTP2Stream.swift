internal import HTTPTypes

/// One request and its answer on an HTTP/2 connection.
final class HTTP2Stream {
    enum Stage {
        case receivingHead
        case receivingBody
        /// The request is complete or refused; the answer is awaited.
        case answering
        case sending
        /// Answered before the request has ended, which is read away.
        case lingering
    }

    let identifier: Int32
    var stage = Stage.receivingHead
    var deadline: MonotonicTime
    var exchange: Exchange?
    /// The client has sent END_STREAM.
    var hasRequestEnded = false
    /// The server answers before the request has ended; what still comes is dropped.
    var isRefused = false

    /// Once it is complete.
    private(set) var head: HTTP2Head?
    /// Found in the middle of a trailer section.
    var refusal: RequestRefusal?
    /// Names and values.
    private(set) var trailerByteCount = 0
    private var trailerCount = 0
    private(set) var body = BodyBuffer()
    var bodyStart = MonotonicTime.never

    /// What is sent behind the answer's head, and how much of it was.
    var responseBody: [UInt8] = []
    var trailers: HTTPFields?
    var sentByteCount = 0

    init(identifier: Int32, deadline: MonotonicTime) {
        self.identifier = identifier
        self.deadline = deadline
    }

    func endHead(_ head: HTTP2Head, limits: Limits) {
        self.head = head
        body = BodyBuffer(announced: head.contentLength, maximumByteCount: limits.maximumBodyByteCount)
    }

    /// RFC 9110 §6.5.1: a request's trailers count, and are dropped.
    func countTrailer(_ byteCount: Int, limits: Limits) throws(RequestRefusal) {
        trailerByteCount += byteCount
        trailerCount += 1
        guard trailerByteCount + (head?.fieldByteCount ?? 0) <= limits.maximumHeaderByteCount else {
            throw .headerTooLarge(limit: limits.maximumHeaderByteCount)
        }
        guard trailerCount + (head?.fields.count ?? 0) <= limits.maximumHeaderCount else {
            throw .tooManyFields(limit: limits.maximumHeaderCount)
        }
    }

    func appendBody(_ bytes: UnsafeBufferPointer<UInt8>, limits: Limits) throws(RequestRefusal) {
        guard body.count + bytes.count <= limits.maximumBodyByteCount else {
            throw .bodyTooLarge(limit: limits.maximumBodyByteCount)
        }
        body.append(bytes)
    }

    /// The complete request, whose head nothing was wrong with; the body is handed over.
    func takeRequest() -> ServerRequest? {
        guard let request = head?.request else { return nil }
        defer { dropBody() }
        return ServerRequest(request: request, body: body.bytes, version: .http2)
    }

    func dropBody() { body = BodyBuffer() }
}
