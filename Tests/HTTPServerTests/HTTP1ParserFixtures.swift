import HTTPServer
import HTTPTypes
import Testing

/// Bytes, and what the parser makes of them however they are cut.
struct HTTP1Fixture: Sendable, CustomTestStringConvertible {
    let name: String
    let bytes: [UInt8]
    let expected: HTTP1Outcome

    init(_ name: String, _ text: String, _ expected: HTTP1Outcome) {
        self.name = name
        bytes = Array(text.utf8)
        self.expected = expected
    }

    var testDescription: String { name }
}

/// All requests of a byte stream, and the refusal that ended it if there was one.
struct HTTP1Outcome: Equatable, Sendable {
    var requests: [String] = []
    var continues = 0
    var refusal: RequestRefusal?

    /// Requests as `method authority path body`.
    init(_ requests: [String] = [], continues: Int = 0, refusal: RequestRefusal? = nil) {
        self.requests = requests
        self.continues = continues
        self.refusal = refusal
    }

    /// Feeds pieces as a connection does: what was not consumed comes again with the next piece.
    static func parsing(_ pieces: [ArraySlice<UInt8>], limits: Limits = Limits()) -> HTTP1Outcome {
        var outcome = HTTP1Outcome()
        var parser = HTTP1Parser(limits: limits, scheme: "http")
        var held: [UInt8] = []
        do throws(RequestRefusal) {
            for piece in pieces {
                held += piece
                var consumed = 0
                var needsMore = false
                while !needsMore {
                    let event = try held.withUnsafeBufferPointer { bytes throws(RequestRefusal) in
                        try parser.parse(bytes, consumed: &consumed)
                    }
                    switch event {
                    case .needsMoreBytes: needsMore = true
                    case .head(_, _, let expectsContinue): outcome.continues += expectsContinue ? 1 : 0
                    case .request(let request): outcome.requests.append(text(request))
                    }
                }
                held.removeFirst(consumed)
            }
        } catch {
            outcome.refusal = error
        }
        return outcome
    }

    private static func text(_ request: HTTP1Request) -> String {
        let head = request.request.request
        let body = String(decoding: request.request.body, as: UTF8.self)
        return "\(head.method) \(head.authority ?? "-") \(head.path ?? "-") \(body)"
            + (request.keepsAlive ? "" : " close")
    }
}

extension HTTP1Fixture {
    static let wellFormed: [HTTP1Fixture] = [
        .init("get", "GET / HTTP/1.1\r\nHost: a\r\n\r\n", .init(["GET a / "])),
        .init("query", "GET /p?q=1&r=%20 HTTP/1.1\r\nhost:a:80\r\n\r\n", .init(["GET a:80 /p?q=1&r=%20 "])),
        .init("empty host", "GET / HTTP/1.1\r\nHost:\r\n\r\n", .init(["GET  / "])),
        .init("IPv6 host", "GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n", .init(["GET [::1]:80 / "])),
        .init("whitespace around a value", "GET / HTTP/1.1\r\nHost: \t a \t\r\n\r\n", .init(["GET a / "])),
        .init("leading empty line", "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", .init(["GET a / "])),
        .init(
            "sized body", "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello",
            .init(["POST a /x hello"])),
        .init(
            "repeated equal lengths",
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2, 2\r\nContent-Length: 2\r\n\r\nhi",
            .init(["POST a / hi"])),
        .init(
            "chunked",
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n"
                + "5\r\nhello\r\nA ; x=\"y\"\r\n0123456789\r\n0\r\nTrailer: 1\r\n\r\n",
            .init(["POST a / hello0123456789"])),
        .init(
            "empty chunked", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n000\r\n\r\n",
            .init(["POST a / "])),
        .init(
            "pipelined",
            "POST /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nabGET /2 HTTP/1.1\r\nHost: b\r\n\r\n\r\n"
                + "PUT /3 HTTP/1.1\r\nHost: c\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nz\r\n0\r\n\r\n"
                + "GET /4 HTTP/1.1\r\nHost: d\r\nConnection: x, Close\r\n\r\n",
            .init(["POST a /1 ab", "GET b /2 ", "PUT c /3 z", "GET d /4  close"])),
        .init("absolute form", "GET http://b:1?q HTTP/1.1\r\nHost: a\r\n\r\n", .init(["GET b:1 /?q "])),
        .init("asterisk form", "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", .init(["OPTIONS a * "])),
        .init("1.0", "GET / HTTP/1.0\r\n\r\n", .init(["GET - /  close"])),
        .init("1.0 keep-alive", "GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", .init(["GET - / "])),
        .init("higher minor version", "GET / HTTP/1.7\r\nHost: a\r\n\r\n", .init(["GET a / "])),
        .init(
            "expectation", "PUT / HTTP/1.1\r\nHost: a\r\nExpect: 100-Continue\r\nContent-Length: 1\r\n\r\nx",
            .init(["PUT a / x"], continues: 1)),
        .init(
            "expectation of 1.0", "PUT / HTTP/1.0\r\nExpect: y\r\nContent-Length: 1\r\n\r\nx",
            .init(["PUT - / x close"])),
        .init("nothing yet", "GET / HT", .init()),
    ]

    private static func post(_ fields: String, _ body: String = "") -> String {
        "POST / HTTP/1.1\r\nHost: a\r\n\(fields)\r\n\r\n\(body)"
    }

    private static func chunked(_ body: String) -> String { post("Transfer-Encoding: chunked", body) }

    static let malformed: [HTTP1Fixture] = [
        .init("two empty lines", "\r\n\r\nGET / HTTP/1.1\r\n", .init(refusal: .emptyLine)),
        .init("bare LF after request line", "GET / HTTP/1.1\nHost: a\r\n\r\n", .init(refusal: .bareLineFeed)),
        .init("bare LF after field", "GET / HTTP/1.1\r\nHost: a\n\r\n", .init(refusal: .bareLineFeed)),
        .init("bare LF at the end", "GET / HTTP/1.1\r\nHost: a\r\n\n", .init(refusal: .bareLineFeed)),
        .init("leading bare LF", "\nGET / HTTP/1.1\r\n", .init(refusal: .bareLineFeed)),
        .init("TLS on a plain port", "\u{16}\u{3}\u{1}", .init(refusal: .malformedRequestLine)),
        .init("two words", "GET /\r\n", .init(refusal: .malformedRequestLine)),
        .init("HTTP/0.9", "GET / \r\n", .init(refusal: .malformedVersion)),
        .init("leading space", " GET / HTTP/1.1\r\n", .init(refusal: .malformedRequestLine)),
        .init("two spaces", "GET  / HTTP/1.1\r\n", .init(refusal: .malformedTarget)),
        .init("tab", "GET\t/ HTTP/1.1\r\n", .init(refusal: .malformedRequestLine)),
        .init("CR in request line", "GET /\r HTTP/1.1\r\n", .init(refusal: .malformedTarget)),
        .init("method", "G@T / HTTP/1.1\r\n", .init(refusal: .malformedRequestLine)),
        .init(
            "long method", "\(String(repeating: "A", count: 33)) / HTTP/1.1\r\n",
            .init(refusal: .methodTooLong)),
        .init("CONNECT", "CONNECT a:1 HTTP/1.1\r\n", .init(refusal: .unsupportedMethod("CONNECT"))),
        .init("relative target", "GET x HTTP/1.1\r\n", .init(refusal: .malformedTarget)),
        .init("fragment", "GET /a#b HTTP/1.1\r\n", .init(refusal: .malformedTarget)),
        .init("non-ASCII target", "GET /é HTTP/1.1\r\n", .init(refusal: .malformedTarget)),
        .init("asterisk for GET", "GET * HTTP/1.1\r\n", .init(refusal: .malformedTarget)),
        .init("foreign scheme", "GET ftp://a/ HTTP/1.1\r\n", .init(refusal: .malformedTarget)),
        .init("userinfo", "GET http://u@a/ HTTP/1.1\r\n", .init(refusal: .malformedTarget)),
        .init("port without a host", "GET http://:1/ HTTP/1.1\r\n", .init(refusal: .malformedTarget)),
        .init("no authority", "GET http:///x HTTP/1.1\r\n", .init(refusal: .malformedTarget)),
        .init("HTTP/2 by name", "GET / HTTP/2.0\r\n", .init(refusal: .unsupportedVersion)),
        .init("lower-case version", "GET / http/1.1\r\n", .init(refusal: .malformedVersion)),
        .init("long version", "GET / HTTP/1.10\r\n", .init(refusal: .malformedVersion)),
        .init("no host", "GET / HTTP/1.1\r\n\r\n", .init(refusal: .missingHost)),
        .init("two hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n", .init(refusal: .repeatedHost)),
        .init("host with a path", "GET / HTTP/1.1\r\nHost: a/b\r\n", .init(refusal: .malformedHost)),
        .init(
            "host with a port that is none", "GET / HTTP/1.1\r\nHost: a:x\r\n", .init(refusal: .malformedHost)
        ),
        .init("host with two ports", "GET / HTTP/1.1\r\nHost: a:1:2\r\n", .init(refusal: .malformedHost)),
        .init(
            "host with an open bracket", "GET / HTTP/1.1\r\nHost: [::1\r\n", .init(refusal: .malformedHost)),
        .init("host behind a bracket", "GET / HTTP/1.1\r\nHost: [::1]a\r\n", .init(refusal: .malformedHost)),
        .init("host of empty brackets", "GET / HTTP/1.1\r\nHost: []\r\n", .init(refusal: .malformedHost)),
        .init("host with a cut escape", "GET / HTTP/1.1\r\nHost: a%4\r\n", .init(refusal: .malformedHost)),
        .init("space before colon", "GET / HTTP/1.1\r\nHost : a\r\n", .init(refusal: .malformedFieldName)),
        .init("no colon", "GET / HTTP/1.1\r\nHost\r\n", .init(refusal: .malformedFieldName)),
        .init("empty name", "GET / HTTP/1.1\r\n: a\r\n", .init(refusal: .malformedFieldName)),
        .init("folded", "GET / HTTP/1.1\r\nHost: a\r\n b\r\n", .init(refusal: .foldedLine)),
        .init("folded with a tab", "GET / HTTP/1.1\r\nHost: a\r\n\tb\r\n", .init(refusal: .foldedLine)),
        .init("NUL", "GET / HTTP/1.1\r\nX: a\0b\r\n", .init(refusal: .malformedFieldValue(name: "x"))),
        .init(
            "CR in value", "GET / HTTP/1.1\r\nX: a\rb\r\n", .init(refusal: .malformedFieldValue(name: "x"))),
        .init(
            "both lengths", post("Content-Length: 1\r\nTransfer-Encoding: chunked"),
            .init(refusal: .contentLengthWithTransferEncoding)),
        .init(
            "differing lengths", post("Content-Length: 1\r\nContent-Length: 2"),
            .init(refusal: .differingContentLengths)),
        .init("differing list", post("Content-Length: 1, 2"), .init(refusal: .differingContentLengths)),
        .init("signed length", post("Content-Length: +1"), .init(refusal: .malformedContentLength)),
        .init("negative length", post("Content-Length: -1"), .init(refusal: .malformedContentLength)),
        .init("hexadecimal length", post("Content-Length: 0x1"), .init(refusal: .malformedContentLength)),
        .init("empty length", post("Content-Length:"), .init(refusal: .malformedContentLength)),
        .init("spaced length", post("Content-Length: 1 2"), .init(refusal: .malformedContentLength)),
        .init(
            "overflowing length", post("Content-Length: 9223372036854775808"),
            .init(refusal: .malformedContentLength)),
        .init(
            "transfer-encoding in 1.0", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n",
            .init(refusal: .transferEncodingInHTTP1_0)),
        .init(
            "gzip", post("Transfer-Encoding: gzip, chunked"), .init(refusal: .unknownTransferCoding("gzip"))),
        .init(
            "xchunked", post("Transfer-Encoding: xchunked"),
            .init(refusal: .unknownTransferCoding("xchunked"))),
        .init(
            "chunked twice", post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked"),
            .init(refusal: .malformedTransferEncoding)),
        .init("empty coding", post("Transfer-Encoding:"), .init(refusal: .malformedTransferEncoding)),
        .init("expectation", post("Expect: tea"), .init(refusal: .unknownExpectation("tea"))),
        .init("no chunk size", chunked("\r\n"), .init(refusal: .malformedChunk)),
        .init("signed chunk size", chunked("-1\r\n"), .init(refusal: .malformedChunk)),
        .init("prefixed chunk size", chunked("0x1\r\n"), .init(refusal: .malformedChunk)),
        .init("space before chunk size", chunked(" 1\r\nx\r\n"), .init(refusal: .malformedChunk)),
        .init("overflowing chunk size", chunked("10000000000000000\r\n"), .init(refusal: .malformedChunk)),
        .init(
            "large chunk size", chunked("fffffffffffffff\r\n"), .init(refusal: .bodyTooLarge(limit: 64 << 20))
        ),
        .init("bare LF after chunk size", chunked("1\nx\r\n"), .init(refusal: .bareLineFeed)),
        .init("LF after chunk", chunked("1\r\nx\n0\r\n\r\n"), .init(refusal: .malformedChunk)),
        .init("chunk longer than said", chunked("1\r\nxy\r\n"), .init(refusal: .malformedChunk)),
        .init("CR in extension", chunked("1;\rx\r\n"), .init(refusal: .malformedChunk)),
        .init("bad trailer", chunked("0\r\nX y\r\n\r\n"), .init(refusal: .malformedFieldName)),
        .init(
            "after a good one", "GET / HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\n\r\n",
            .init(["GET a / "], refusal: .missingHost)),
    ]
}
