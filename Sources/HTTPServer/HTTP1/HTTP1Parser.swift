import Glibc
package import HTTPTypes

/// A request that an HTTP/1 connection has read in full.
package struct HTTP1Request: Sendable {
    package let request: ServerRequest
    package let keepsAlive: Bool
}

/// What the parser found in the bytes it was given.
package enum HTTP1Event {
    case needsMoreBytes
    /// A head whose body follows; perhaps the client waits for 100 before it sends that.
    case head(HTTPRequest, version: HTTPVersion, expectsContinue: Bool)
    case request(HTTP1Request)
}

/// Reads HTTP/1 requests from bytes, however they are cut. Strict: what RFC 9112 lets a server refuse is refused.
///
/// A line is taken when its end has arrived, so the caller keeps the bytes that were not consumed and brings them
/// again with more behind them. After a refusal the parser must not be used again.
package struct HTTP1Parser {
    private enum Phase {
        case requestLine
        case fields
        case body(remaining: Int)
        case chunkSize
        case chunkData(remaining: Int)
        case chunkEnd
        case trailers
    }

    private let limits: Limits
    private let scheme: String
    /// What a head means.
    private struct ReadHead {
        let request: HTTPRequest
        let version: HTTPVersion
        let framing: HTTP1Head.BodyFraming
        let keepsAlive: Bool
        let expectsContinue: Bool
        /// A trailer section draws on the same bounds.
        let fieldByteCount: Int
        let fieldCount: Int
    }

    private var phase = Phase.requestLine
    /// While its lines arrive.
    private var head: HTTP1Head?
    private var readHead: ReadHead?
    /// The head before, if short. Clients mostly repeat it byte for byte: what it means need not be found out again.
    private var knownBytes: [UInt8] = []
    private var knownHead: ReadHead?
    private var body = BodyBuffer()
    /// Bytes of the unfinished line that are known to hold no line end.
    private var scannedByteCount = 0
    private var fieldByteCount = 0
    private var fieldCount = 0
    private var chunkExtensionByteCount = 0
    private var hasSkippedEmptyLine = false

    /// Longer heads are not kept.
    private static let maximumKnownByteCount = 1 << 10

    /// A chunk size's digits; sixteen would overflow.
    static let maximumChunkSizeDigitCount = 15

    package init(limits: Limits, scheme: String) {
        self.limits = limits
        self.scheme = scheme
    }

    package enum Waiting: Equatable { case nothing, head, body }

    /// What has begun and not ended; bytes of an unfinished line count when the caller holds any.
    package var waitsFor: Waiting {
        switch phase {
        case .requestLine: .nothing
        case .fields: .head
        default: .body
        }
    }

    /// Body bytes held for a request that is not complete.
    var bufferedByteCount: Int { body.count }

    /// Reads until an event; `consumed` moves over the bytes that are not needed again.
    package mutating func parse(
        _ input: UnsafeBufferPointer<UInt8>, consumed: inout Int
    ) throws(RequestRefusal) -> HTTP1Event {
        // Where a head begins that has not begun in bytes before these.
        var headStart: Int?
        while true {
            switch phase {
            case .requestLine:
                if let known = takeKnownHead(input, &consumed) { return beginBody(of: known) }
                headStart = consumed
                guard try readRequestLine(input, &consumed) else { return .needsMoreBytes }
            case .fields:
                guard let line = try fieldLine(input, &consumed) else { return .needsMoreBytes }
                guard line.isEmpty else {
                    try head!.append(line)
                    continue
                }
                let read = try endHead()
                if let headStart { keep(read, input[headStart..<consumed]) }
                return beginBody(of: read)
            case .body(let remaining):
                let taken = takeBody(input, &consumed, atMost: remaining)
                phase = .body(remaining: remaining - taken)
                guard taken == remaining else { return .needsMoreBytes }
                return .request(takeRequest())
            case .chunkSize:
                guard try readChunkSize(input, &consumed) else { return .needsMoreBytes }
            case .chunkData(let remaining):
                let taken = takeBody(input, &consumed, atMost: remaining)
                phase = taken == remaining ? .chunkEnd : .chunkData(remaining: remaining - taken)
                guard taken == remaining else { return .needsMoreBytes }
            case .chunkEnd:
                guard input.count - consumed >= 2 else {
                    if consumed < input.count, input[consumed] != .carriageReturn { throw .malformedChunk }
                    return .needsMoreBytes
                }
                guard input[consumed] == .carriageReturn, input[consumed + 1] == .lineFeed else {
                    throw .malformedChunk
                }
                consumed += 2
                phase = .chunkSize
            case .trailers:
                guard let line = try fieldLine(input, &consumed) else { return .needsMoreBytes }
                if line.isEmpty { return .request(takeRequest()) }
                // RFC 9110 §6.5.1: trailers are checked and dropped; no endpoint needs one.
                _ = try HTTP1Head.field(line)
            }
        }
    }

    // MARK: - Lines

    /// The next line without its end, or nil until it is there. `tooLong` is thrown once the line, its end
    /// included, is sure to be longer than `limit`.
    private mutating func line(
        _ input: UnsafeBufferPointer<UInt8>, _ consumed: inout Int, limit: Int, tooLong: RequestRefusal
    ) throws(RequestRefusal) -> Slice<UnsafeBufferPointer<UInt8>>? {
        let start = consumed
        let available = input.count - start
        let windowEnd = min(available, limit)
        var end: Int?
        if windowEnd > scannedByteCount, let base = input.baseAddress {
            let from = base + start + scannedByteCount
            if let found = memchr(from, Int32(UInt8.lineFeed), windowEnd - scannedByteCount) {
                end = UnsafePointer(found.assumingMemoryBound(to: UInt8.self)) - base
            }
        }
        guard let end else {
            guard available < limit else { throw tooLong }
            scannedByteCount = available
            return nil
        }
        scannedByteCount = 0
        consumed = end + 1
        // RFC 9112 §2.2 lets a recipient take a bare LF for a line end; the disagreement is what smuggling needs.
        guard end > start, input[end - 1] == .carriageReturn else { throw .bareLineFeed }
        return input[start..<end - 1]
    }

    private mutating func readRequestLine(
        _ input: UnsafeBufferPointer<UInt8>, _ consumed: inout Int
    ) throws(RequestRefusal) -> Bool {
        // A first byte that begins no method is refused at once: a TLS handshake would otherwise wait for a line end.
        if consumed < input.count, input[consumed] != .carriageReturn, input[consumed] != .lineFeed,
            !ASCIISet.token.contains(input[consumed])
        {
            throw .malformedRequestLine
        }
        guard
            let line = try line(
                input, &consumed,
                limit: limits.maximumTargetByteCount + HTTP1RequestLine.maximumByteCountWithoutTarget,
                tooLong: .targetTooLong(limit: limits.maximumTargetByteCount))
        else { return false }
        if line.isEmpty {
            // RFC 9112 §2.2: ignore one CRLF that an old client sent after its body.
            guard !hasSkippedEmptyLine else { throw .emptyLine }
            hasSkippedEmptyLine = true
            return true
        }
        head = HTTP1Head(
            requestLine: try HTTP1RequestLine(line, maximumTargetByteCount: limits.maximumTargetByteCount))
        phase = .fields
        return true
    }

    /// The next line of the header or the trailer section; both draw on the same bounds.
    private mutating func fieldLine(
        _ input: UnsafeBufferPointer<UInt8>, _ consumed: inout Int
    ) throws(RequestRefusal) -> Slice<UnsafeBufferPointer<UInt8>>? {
        // The empty line at the end does not count, so its two bytes are always there to be used.
        let limit = limits.maximumHeaderByteCount - fieldByteCount + 2
        guard
            let line = try line(
                input, &consumed, limit: limit, tooLong: .headerTooLarge(limit: limits.maximumHeaderByteCount)
            )
        else { return nil }
        guard !line.isEmpty else { return line }
        fieldByteCount += line.count + 2
        fieldCount += 1
        guard fieldByteCount <= limits.maximumHeaderByteCount else {
            throw .headerTooLarge(limit: limits.maximumHeaderByteCount)
        }
        guard fieldCount <= limits.maximumHeaderCount else {
            throw .tooManyFields(limit: limits.maximumHeaderCount)
        }
        return line
    }

    // MARK: - Head and body

    /// All lines are there: decides what they mean and how the body is framed.
    private func endHead() throws(RequestRefusal) -> ReadHead {
        let head = head!
        let read = ReadHead(
            request: try head.request(scheme: scheme), version: head.requestLine.version,
            framing: try head.bodyFraming(), keepsAlive: head.keepsAlive,
            expectsContinue: try head.expectsContinue(), fieldByteCount: fieldByteCount,
            fieldCount: fieldCount)
        if case .sized(let byteCount) = read.framing, byteCount > limits.maximumBodyByteCount {
            throw .bodyTooLarge(limit: limits.maximumBodyByteCount)
        }
        return read
    }

    private mutating func keep(_ read: ReadHead, _ bytes: Slice<UnsafeBufferPointer<UInt8>>) {
        guard bytes.count <= Self.maximumKnownByteCount else { return }
        knownBytes.removeAll(keepingCapacity: true)
        knownBytes.append(contentsOf: bytes)
        knownHead = read
    }

    /// The head before, where it comes again; it is then consumed.
    private mutating func takeKnownHead(
        _ input: UnsafeBufferPointer<UInt8>, _ consumed: inout Int
    ) -> ReadHead? {
        let count = knownBytes.count
        guard let knownHead, input.count - consumed >= count, let base = input.baseAddress,
            memcmp(base + consumed, knownBytes, count) == 0
        else { return nil }
        consumed += count
        // Part of the line may have been here before.
        scannedByteCount = 0
        (fieldByteCount, fieldCount) = (knownHead.fieldByteCount, knownHead.fieldCount)
        return knownHead
    }

    /// A request without a body is complete.
    private mutating func beginBody(of read: ReadHead) -> HTTP1Event {
        readHead = read
        switch read.framing {
        case .sized(0): return .request(takeRequest())
        case .sized(let byteCount):
            body = BodyBuffer(announced: byteCount)
            phase = .body(remaining: byteCount)
        case .chunked:
            body = BodyBuffer(maximumByteCount: limits.maximumBodyByteCount)
            phase = .chunkSize
        }
        return .head(read.request, version: read.version, expectsContinue: read.expectsContinue)
    }

    /// RFC 9112 §7.1: chunk-size [ chunk-ext ] CRLF.
    private mutating func readChunkSize(
        _ input: UnsafeBufferPointer<UInt8>, _ consumed: inout Int
    ) throws(RequestRefusal) -> Bool {
        let extensionLimit = limits.maximumChunkExtensionByteCount
        guard
            let line = try line(
                input, &consumed,
                limit: Self.maximumChunkSizeDigitCount + extensionLimit - chunkExtensionByteCount + 2,
                tooLong: .chunkExtensionsTooLarge(limit: extensionLimit))
        else { return false }
        let digits = line.prefix { $0.hexadecimalDigit != nil }
        guard !digits.isEmpty, digits.count <= Self.maximumChunkSizeDigitCount else { throw .malformedChunk }
        let size = digits.reduce(0) { $0 << 4 | $1.hexadecimalDigit! }

        let extensions = line[digits.endIndex...]
        guard extensions.isEmpty || extensions.withoutOptionalWhitespace.first == UInt8(ascii: ";"),
            extensions.allSatisfy(\.isFieldValueByte)
        else { throw .malformedChunk }
        chunkExtensionByteCount += extensions.count
        guard chunkExtensionByteCount <= extensionLimit else {
            throw .chunkExtensionsTooLarge(limit: extensionLimit)
        }

        guard size <= limits.maximumBodyByteCount - body.count else {
            throw .bodyTooLarge(limit: limits.maximumBodyByteCount)
        }
        phase = size == 0 ? .trailers : .chunkData(remaining: size)
        return true
    }

    private mutating func takeBody(
        _ input: UnsafeBufferPointer<UInt8>, _ consumed: inout Int, atMost limit: Int
    ) -> Int {
        let taken = min(limit, input.count - consumed)
        body.append(UnsafeBufferPointer(rebasing: input[consumed..<consumed + taken]))
        consumed += taken
        return taken
    }

    private mutating func takeRequest() -> HTTP1Request {
        let read = readHead!
        let result = HTTP1Request(
            request: ServerRequest(request: read.request, body: body.bytes, version: read.version),
            keepsAlive: read.keepsAlive)
        phase = .requestLine
        (head, readHead, body) = (nil, nil, BodyBuffer())
        (scannedByteCount, fieldByteCount, fieldCount, chunkExtensionByteCount) = (0, 0, 0, 0)
        hasSkippedEmptyLine = false
        return result
    }
}
