import HTTPServer
import HTTPTypes
import Testing

@Suite struct HTTP1ParserTests {
    @Test(arguments: HTTP1Fixture.wellFormed + HTTP1Fixture.malformed)
    func `the outcome is the expected one, in one piece and byte by byte`(_ fixture: HTTP1Fixture) {
        #expect(HTTP1Outcome.parsing([fixture.bytes[...]]) == fixture.expected)
        #expect(
            HTTP1Outcome.parsing(fixture.bytes.indices.map { fixture.bytes[$0...$0] }) == fixture.expected)
    }

    @Test(arguments: HTTP1Fixture.wellFormed + HTTP1Fixture.malformed)
    func `the outcome does not depend on where the bytes are cut`(_ fixture: HTTP1Fixture) {
        for split in 0...fixture.bytes.count {
            let pieces = [fixture.bytes[..<split], fixture.bytes[split...]]
            #expect(HTTP1Outcome.parsing(pieces) == fixture.expected, "cut at \(split)")
        }
    }

    @Test(arguments: HTTP1Fixture.wellFormed + HTTP1Fixture.malformed)
    func `a head that is repeated means what it meant`(_ fixture: HTTP1Fixture) {
        let bytes = fixture.bytes + fixture.bytes + fixture.bytes
        // Byte by byte no head is in one piece, and none is known again.
        let expected = HTTP1Outcome.parsing(bytes.indices.map { bytes[$0...$0] })
        #expect(HTTP1Outcome.parsing([bytes[...]]) == expected)
        for split in stride(from: 0, through: bytes.count, by: 5) {
            #expect(HTTP1Outcome.parsing([bytes[..<split], bytes[split...]]) == expected, "cut at \(split)")
        }
    }

    @Test(arguments: [
        (RequestRefusal.bareLineFeed, 400), (.unsupportedVersion, 505), (.methodTooLong, 501),
        (.targetTooLong(limit: 1), 414), (.headerTooLarge(limit: 1), 431), (.tooManyFields(limit: 1), 431),
        (.bodyTooLarge(limit: 1), 413), (.unknownTransferCoding("x"), 501), (.unknownExpectation("x"), 417),
        (.missingHost, 400), (.headerTimeout, 408), (.bodyTimeout, 408), (.overloaded, 503),
        (.unsupportedMethod("CONNECT"), 501), (.contentLengthWithTransferEncoding, 400),
    ])
    func `a refusal has its status`(_ refusal: RequestRefusal, _ code: Int) {
        #expect(refusal.status.code == code)
        #expect(!refusal.description.isEmpty)
    }

    @Test func `a target is taken at the limit and refused one past it`() {
        var limits = Limits()
        limits.maximumTargetByteCount = 100
        func outcome(_ count: Int) -> HTTP1Outcome {
            parse("GET /\(String(repeating: "x", count: count - 1)) HTTP/1.1\r\nHost: a\r\n\r\n", limits)
        }
        #expect(outcome(100).requests.count == 1)
        #expect(outcome(101).refusal == .targetTooLong(limit: 100))
        // Refused before its end is there.
        #expect(
            parse("GET /" + String(repeating: "x", count: 200), limits).refusal == .targetTooLong(limit: 100))
    }

    @Test func `header bytes are taken at the limit and refused one past it`() {
        var limits = Limits()
        limits.maximumHeaderByteCount = 100
        func outcome(_ count: Int) -> HTTP1Outcome {
            let first = "Host: a\r\n"
            let second = "X: \(String(repeating: "v", count: count - first.utf8.count - 5))\r\n"
            return parse("GET / HTTP/1.1\r\n\(first)\(second)\r\n", limits)
        }
        #expect(outcome(100).requests.count == 1)
        #expect(outcome(101).refusal == .headerTooLarge(limit: 100))
        let endless = "GET / HTTP/1.1\r\nX: " + String(repeating: "v", count: 200)
        #expect(parse(endless, limits).refusal == .headerTooLarge(limit: 100))
    }

    @Test func `header fields are taken at the limit and refused one past it`() {
        var limits = Limits()
        limits.maximumHeaderCount = 5
        func outcome(_ count: Int) -> HTTP1Outcome {
            let fields = (1..<count).map { "X\($0): v\r\n" }.joined()
            return parse("GET / HTTP/1.1\r\nHost: a\r\n\(fields)\r\n", limits)
        }
        #expect(outcome(5).requests.count == 1)
        #expect(outcome(6).refusal == .tooManyFields(limit: 5))
    }

    @Test func `trailers draw on the header's limits`() {
        var limits = Limits()
        limits.maximumHeaderCount = 5
        func outcome(_ count: Int) -> HTTP1Outcome {
            let head = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n"
            return parse(head + String(repeating: "T: v\r\n", count: count) + "\r\n", limits)
        }
        #expect(outcome(3).requests.count == 1)
        #expect(outcome(4).refusal == .tooManyFields(limit: 5))
        // Those of a head that comes a second time too.
        let head = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n"
        let again = parse(head + "\r\n" + head + String(repeating: "T: v\r\n", count: 4) + "\r\n", limits)
        #expect(again.requests.count == 1 && again.refusal == .tooManyFields(limit: 5))
    }

    @Test func `a sized body is taken at the limit and refused from its length one past it`() {
        var limits = Limits()
        limits.maximumBodyByteCount = 10
        #expect(parse(sized(10, String(repeating: "b", count: 10)), limits).requests.count == 1)
        #expect(parse(sized(11, ""), limits).refusal == .bodyTooLarge(limit: 10))
    }

    @Test func `a chunked body is taken at the limit and refused one past it`() {
        var limits = Limits()
        limits.maximumBodyByteCount = 10
        let head = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
        #expect(parse(head + "5\r\nhello\r\n5\r\nhello\r\n0\r\n\r\n", limits).requests.count == 1)
        #expect(parse(head + "5\r\nhello\r\n6\r\n", limits).refusal == .bodyTooLarge(limit: 10))
    }

    @Test func `chunk extensions are taken at the limit and refused one past it`() {
        var limits = Limits()
        limits.maximumChunkExtensionByteCount = 8
        let head = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
        #expect(parse(head + "1;abc\r\nx\r\n0;abc\r\n\r\n", limits).requests.count == 1)
        #expect(
            parse(head + "1;abc\r\nx\r\n0;abcd\r\n\r\n", limits).refusal == .chunkExtensionsTooLarge(limit: 8)
        )
    }

    @Test func `no byte sequence made from a request by one changed byte is taken for two requests`() {
        let bytes = Array("POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello".utf8)
        for index in bytes.indices {
            for value in UInt8.min...UInt8.max {
                var changed = bytes
                changed[index] = value
                #expect(HTTP1Outcome.parsing([changed[...]]).requests.count <= 1)
            }
        }
    }

    private func parse(_ text: String, _ limits: Limits) -> HTTP1Outcome {
        HTTP1Outcome.parsing([Array(text.utf8)[...]], limits: limits)
    }

    private func sized(_ count: Int, _ body: String) -> String {
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: \(count)\r\n\r\n\(body)"
    }
}
