import CZlib

/// How bytes are compressed: RFC 1952 or RFC 1950, which HTTP and gRPC both call deflate.
enum ContentCoding: String {
    case gzip
    case deflate

    /// Names are case-insensitive; `x-gzip` is an old name (RFC 9110 §8.4.1.3).
    init?(name: String) {
        let name = name.lowercased()
        self.init(rawValue: name == "x-gzip" ? "gzip" : name)
    }

    /// What zlib's `inflateInit2` takes: the largest window, and 16 more for gzip's header.
    fileprivate var windowBits: Int32 {
        switch self {
        case .gzip: 15 + 16
        case .deflate: 15
        }
    }
}

/// Expands compressed bytes, at most so many.
enum Inflater {
    /// Bytes that are expanded in one step.
    private static let stepByteCount = 64 << 10
    /// Of a gzip file's parts each has at least a header and a trailer: more parts than these are no compression.
    private static let maximumMemberCount = 1024

    /// Throws `expansion` for damaged bytes and `expansionTooLarge` for more than `maximumByteCount`.
    ///
    /// Every step's bytes are charged to `share` before they are kept.
    static func expand(
        _ bytes: ArraySlice<UInt8>, coding: ContentCoding, maximumByteCount: Int, share: ByteBudget.Share
    ) throws(RequestError) -> [UInt8] {
        var stream = z_stream()
        guard czlib_inflate_init(&stream, coding.windowBits) == Z_OK else {
            throw .serving(.busy(what: "memory"))
        }
        defer { inflateEnd(&stream) }
        return try bytes.withUnsafeBufferPointer { (input) throws(RequestError) in
            // The library's type is mutable, its use of it is not.
            stream.next_in = UnsafeMutablePointer(mutating: input.baseAddress)
            guard let count = UInt32(exactly: input.count) else {
                throw .expansion(reason: "over 4 GiB long")
            }
            stream.avail_in = count
            return try expand(&stream, coding, maximumByteCount, share)
        }
    }

    private static func expand(
        _ stream: inout z_stream, _ coding: ContentCoding, _ maximumByteCount: Int, _ share: ByteBudget.Share
    ) throws(RequestError) -> [UInt8] {
        var expanded: [UInt8] = []
        var memberCount = 1
        let step = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: stepByteCount)
        defer { step.deallocate() }
        while true {
            stream.next_out = step.baseAddress
            stream.avail_out = UInt32(stepByteCount)
            let code = inflate(&stream, Z_NO_FLUSH)
            let count = stepByteCount - Int(stream.avail_out)
            guard count <= maximumByteCount - expanded.count else {
                throw .expansionTooLarge(limit: maximumByteCount)
            }
            guard share.charge(count) else { throw .serving(.busy(what: "compressed bodies")) }
            expanded.append(contentsOf: UnsafeBufferPointer(rebasing: step[..<count]))
            switch code {
            case Z_STREAM_END:
                guard stream.avail_in > 0 else { return expanded }
                // RFC 1952 §2.2: a gzip file is a series of members.
                memberCount += 1
                guard coding == .gzip, memberCount <= maximumMemberCount, inflateReset(&stream) == Z_OK else {
                    throw .expansion(reason: "bytes are left over after its end")
                }
            case Z_OK: continue
            case Z_BUF_ERROR: throw .expansion(reason: "it is cut off")
            default: throw .expansion(reason: "it is not \(coding.rawValue)")
            }
        }
    }
}
