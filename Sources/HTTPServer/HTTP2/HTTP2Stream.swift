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

    /// Found in the middle of a header section.
    var refusal: RequestRefusal?
    /// Header and trailer fields, those dropped included.
    var headerSectionByteCount = 0

    private var method = ""
    private var scheme: String?
    private var authority: String?
    private(set) var path: String?
    private var fields = HTTPFields()
    private var fieldByteCount = 0
    private var contentLength: Int?
    private var expectation: String?
    private(set) var body = BodyBuffer()

    var response: ServerResponse?
    var sentByteCount = 0

    init(identifier: Int32, deadline: MonotonicTime) {
        self.identifier = identifier
        self.deadline = deadline
    }

    /// As far as the head was read.
    var contentType: String? { fields[.contentType] }

    var isHead: Bool { method == "HEAD" }

    /// Takes a header field. nghttp2 has checked the characters and the order of the pseudo-header fields.
    func append(
        name: UnsafeBufferPointer<UInt8>, value: UnsafeBufferPointer<UInt8>, limits: Limits
    ) throws(RequestRefusal) {
        if name.first == UInt8(ascii: ":") {
            try setPseudoField(name, String(decoding: value, as: UTF8.self), value.count, limits)
            return
        }
        fieldByteCount += name.count + value.count
        guard fieldByteCount <= limits.maximumHeaderByteCount else {
            throw .headerTooLarge(limit: limits.maximumHeaderByteCount)
        }
        guard fields.count < limits.maximumHeaderCount else {
            throw .tooManyFields(limit: limits.maximumHeaderCount)
        }
        // RFC 9110 §6.5.1: trailers count, and are dropped.
        guard stage == .receivingHead else { return }
        guard let name = HTTPField.Name(parsed: String(decoding: name, as: UTF8.self)) else {
            throw .malformedFieldName
        }
        let field = HTTPField(name: name, value: value)
        switch name.canonicalName {
        case "host":
            // RFC 9113 §8.3.1: a host that differs from the authority is malformed.
            guard authority == nil || authority == field.value else { throw .malformedHost }
            authority = field.value
        case "content-length":
            guard let length = Int(field.value), length >= 0 else { throw .malformedContentLength }
            contentLength = length
        case "expect": expectation = field.value
        default: break
        }
        fields.append(field)
    }

    /// The head is complete. Returns whether the client waits for 100.
    func endHead(limits: Limits) throws(RequestRefusal) -> Bool {
        if let authority, !HostAndPort.isValid(authority) {
            throw .malformedHost
        }
        // RFC 9110 §9.3.6: a tunnel is a proxy's business; CONNECT alone comes without a path.
        guard method != "CONNECT", path != nil else { throw .unsupportedMethod("CONNECT") }
        if let contentLength, contentLength > limits.maximumBodyByteCount {
            throw .bodyTooLarge(limit: limits.maximumBodyByteCount)
        }
        body = BodyBuffer(announced: contentLength, maximumByteCount: limits.maximumBodyByteCount)
        guard let expectation else { return false }
        guard expectation.lowercased() == "100-continue" else { throw .unknownExpectation(expectation) }
        return true
    }

    func appendBody(_ bytes: UnsafeBufferPointer<UInt8>, limits: Limits) throws(RequestRefusal) {
        guard body.count + bytes.count <= limits.maximumBodyByteCount else {
            throw .bodyTooLarge(limit: limits.maximumBodyByteCount)
        }
        body.append(bytes)
    }

    /// The request without its body, once `endHead` has found nothing wrong with it.
    func head() throws(RequestRefusal) -> HTTPRequest {
        guard let method = HTTPRequest.Method(method) else { throw .malformedRequestLine }
        return HTTPRequest(
            method: method, scheme: scheme, authority: authority, path: path, headerFields: fields)
    }

    /// The complete request; the body is handed over.
    func takeRequest() throws(RequestRefusal) -> ServerRequest {
        let request = try head()
        defer { dropBody() }
        return ServerRequest(request: request, body: body.bytes, version: .http2)
    }

    func dropBody() { body = BodyBuffer() }

    private func setPseudoField(
        _ name: UnsafeBufferPointer<UInt8>, _ value: String, _ byteCount: Int, _ limits: Limits
    ) throws(RequestRefusal) {
        // nghttp2 lets no others through; their second letters tell them apart.
        switch name.count > 1 ? name[1] : 0 {
        case UInt8(ascii: "p"):
            guard byteCount <= limits.maximumTargetByteCount else {
                throw .targetTooLong(limit: limits.maximumTargetByteCount)
            }
            guard value.utf8.allSatisfy(\.isTargetByte) else { throw .malformedTarget }
            path = value
        case UInt8(ascii: "m"):
            guard byteCount <= HTTP1RequestLine.maximumMethodByteCount else { throw .methodTooLong }
            method = value
        case UInt8(ascii: "a"): authority = value
        case UInt8(ascii: "s"): scheme = value
        default: break
        }
    }
}
