internal import HTTPTypes

/// What the head of an HTTP/2 request says.
final class HTTP2Head {
    /// Without a body; `nil` where `refusal` says why there is none.
    private(set) var request: HTTPRequest?
    /// The first thing that is wrong.
    private(set) var refusal: RequestRefusal?
    /// As far as the head was read.
    var contentType: String? { fields[.contentType] }
    let contentLength: Int?
    /// Whether the client waits for 100.
    private(set) var expectsContinue = false
    /// Of what was read, pseudo-header fields apart. A trailer section draws on the same bounds.
    let fieldByteCount: Int
    let isHeadMethod: Bool

    let fields: HTTPFields

    /// Reads a section of which nghttp2 has checked the characters and the order of the pseudo-header fields.
    init(_ section: inout HTTP2HeaderSection, limits: Limits) {
        var reader = Reader(limits: limits)
        do throws(RequestRefusal) {
            try section.take { (name, value) throws(RequestRefusal) in try reader.append(name, value) }
            request = try reader.request()
            expectsContinue = try reader.expectsContinue()
        } catch {
            request = nil
            refusal = error
        }
        fields = reader.fields
        contentLength = reader.contentLength
        fieldByteCount = reader.fieldByteCount
        isHeadMethod = reader.method == "HEAD"
    }

    private struct Reader {
        let limits: Limits
        private(set) var method = ""
        private var scheme: String?
        private var authority: String?
        private var path: String?
        private(set) var fields = HTTPFields()
        private(set) var fieldByteCount = 0
        private(set) var contentLength: Int?
        private var expectation: String?

        init(limits: Limits) { self.limits = limits }

        mutating func append(
            _ name: UnsafeBufferPointer<UInt8>, _ value: UnsafeBufferPointer<UInt8>
        ) throws(RequestRefusal) {
            if name.first == UInt8(ascii: ":") {
                return try setPseudoField(name, String(decoding: value, as: UTF8.self), value.count)
            }
            fieldByteCount += name.count + value.count
            guard fieldByteCount <= limits.maximumHeaderByteCount else {
                throw .headerTooLarge(limit: limits.maximumHeaderByteCount)
            }
            guard fields.count < limits.maximumHeaderCount else {
                throw .tooManyFields(limit: limits.maximumHeaderCount)
            }
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

        /// Once all fields are there.
        func request() throws(RequestRefusal) -> HTTPRequest {
            if let authority, !HostAndPort.isValid(authority) { throw .malformedHost }
            // RFC 9110 §9.3.6: a tunnel is a proxy's business; CONNECT alone comes without a path.
            guard method != "CONNECT", let path else { throw .unsupportedMethod("CONNECT") }
            if let contentLength, contentLength > limits.maximumBodyByteCount {
                throw .bodyTooLarge(limit: limits.maximumBodyByteCount)
            }
            guard let method = HTTPRequest.Method(method) else { throw .malformedRequestLine }
            return HTTPRequest(
                method: method, scheme: scheme, authority: authority, path: path, headerFields: fields)
        }

        func expectsContinue() throws(RequestRefusal) -> Bool {
            guard let expectation else { return false }
            guard expectation.lowercased() == "100-continue" else { throw .unknownExpectation(expectation) }
            return true
        }

        private mutating func setPseudoField(
            _ name: UnsafeBufferPointer<UInt8>, _ value: String, _ byteCount: Int
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
}
