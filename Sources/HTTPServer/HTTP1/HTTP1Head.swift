internal import HTTPTypes

/// A request's head while its lines arrive, and what the fields say about framing.
struct HTTP1Head {
    let requestLine: HTTP1RequestLine
    private(set) var fields = HTTPFields()
    private var contentLength: Int?
    private var transferCodings: [String]?
    private var host: String?
    private var connectionOptions: [String] = []
    private var expectation: String?

    init(requestLine: HTTP1RequestLine) { self.requestLine = requestLine }

    /// Takes one field line, without its line end. RFC 9112 §5.
    mutating func append(_ line: Slice<UnsafeBufferPointer<UInt8>>) throws(RequestRefusal) {
        let field = try Self.field(line)
        switch field.name.canonicalName {
        case "content-length": try addContentLength(field.value)
        case "transfer-encoding": transferCodings = (transferCodings ?? []) + Self.list(field.value)
        case "host": try setHost(field.value)
        case "connection": connectionOptions += Self.list(field.value)
        case "expect": expectation = expectation.map { "\($0), \(field.value)" } ?? field.value
        default: break
        }
        fields.append(field)
    }

    static func field(_ line: Slice<UnsafeBufferPointer<UInt8>>) throws(RequestRefusal) -> HTTPField {
        // RFC 9112 §5.2: a server refuses a folded line or unfolds it; unfolding is where parsers disagree.
        guard line.first != .space, line.first != .tab else { throw .foldedLine }
        // RFC 9112 §5.1: whitespace between name and colon must be answered with 400; it is no token character.
        guard let colon = line.firstIndex(of: UInt8(ascii: ":")), colon > line.startIndex,
            ASCIISet.token.containsAll(of: line[line.startIndex..<colon]),
            let name = HTTPField.Name(line[line.startIndex..<colon].string)
        else { throw .malformedFieldName }
        let value = line[(colon + 1)...].withoutOptionalWhitespace
        guard value.allSatisfy(\.isFieldValueByte) else {
            throw .malformedFieldValue(name: name.canonicalName)
        }
        return HTTPField(name: name, value: UnsafeBufferPointer(rebasing: value))
    }

    /// The request, once all fields are there. `scheme` is that of the connection.
    func request(scheme: String) throws(RequestRefusal) -> HTTPRequest {
        // RFC 9112 §3.2: without exactly one Host, an HTTP/1.1 request is answered with 400.
        guard host != nil || requestLine.version == .http1_0 else { throw .missingHost }
        return HTTPRequest(
            method: requestLine.method, scheme: requestLine.scheme ?? scheme,
            authority: requestLine.authority ?? host, path: requestLine.path, headerFields: fields)
    }

    enum BodyFraming: Equatable {
        case sized(Int)
        case chunked
    }

    /// RFC 9112 §6.3, where nothing but these two can frame a request.
    func bodyFraming() throws(RequestRefusal) -> BodyFraming {
        guard let transferCodings else { return .sized(contentLength ?? 0) }
        // RFC 9112 §6.1: such a message may be an attempt at smuggling; refuse it.
        guard contentLength == nil else { throw .contentLengthWithTransferEncoding }
        guard requestLine.version != .http1_0 else { throw .transferEncodingInHTTP1_0 }
        // RFC 9112 §6.1: 501 for a coding that is not understood, 400 where chunked is not the last or repeated.
        if let unknown = transferCodings.first(where: { $0 != "chunked" }) {
            throw .unknownTransferCoding(unknown)
        }
        guard transferCodings.count == 1 else { throw .malformedTransferEncoding }
        return .chunked
    }

    /// Whether the client waits for 100 before it sends the body. RFC 9110 §10.1.1.
    func expectsContinue() throws(RequestRefusal) -> Bool {
        guard let expectation, requestLine.version != .http1_0 else { return false }
        guard expectation.lowercased() == "100-continue" else { throw .unknownExpectation(expectation) }
        return true
    }

    /// RFC 9112 §9.3: 1.1 persists unless told otherwise, 1.0 the other way around.
    var keepsAlive: Bool {
        if connectionOptions.contains("close") { return false }
        return requestLine.version == .http1_1 || connectionOptions.contains("keep-alive")
    }

    private mutating func addContentLength(_ value: String) throws(RequestRefusal) {
        // RFC 9110 §8.6: a list of identical numbers may be taken as one.
        for part in value.utf8.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false) {
            let text = String(Substring(part)).trimmingOptionalWhitespace
            guard !text.isEmpty, text.utf8.allSatisfy({ $0.decimalDigit != nil }), let length = Int(text)
            else {
                throw .malformedContentLength
            }
            guard contentLength == nil || contentLength == length else { throw .differingContentLengths }
            contentLength = length
        }
    }

    private mutating func setHost(_ value: String) throws(RequestRefusal) {
        guard host == nil else { throw .repeatedHost }
        guard HostAndPort.isValid(value) else { throw .malformedHost }
        host = value
    }

    /// RFC 9110 §5.6.1: a comma-separated list; empty elements do not count.
    private static func list(_ value: String) -> [String] {
        value.split(separator: ",").map { $0.lowercased().trimmingOptionalWhitespace }.filter { !$0.isEmpty }
    }
}

extension String {
    fileprivate var trimmingOptionalWhitespace: String {
        let isWhitespace: (Character) -> Bool = { $0 == " " || $0 == "\t" }
        guard let first = firstIndex(where: { !isWhitespace($0) }),
            let last = lastIndex(where: { !isWhitespace($0) })
        else { return "" }
        return String(self[first...last])
    }
}
