import CNGHTTP2
internal import HTTPTypes

/// A list of fields in one buffer, as nghttp2 wants them.
struct HTTP2FieldBlock {
    private var bytes: [UInt8] = []
    private var lengths: [(name: Int, value: Int)] = []

    /// Enough for most answers: nothing grows while one is written.
    private static let (expectedByteCount, expectedFieldCount) = (256, 8)

    init() {
        bytes.reserveCapacity(Self.expectedByteCount)
        lengths.reserveCapacity(Self.expectedFieldCount)
    }

    /// An answer's head. RFC 9113 §8.2.2: no connection fields.
    static func head(of response: ServerResponse, date: String) -> HTTP2FieldBlock {
        var block = HTTP2FieldBlock()
        block.append(":status") { $0.appendDecimal(response.status.code) }
        for field in response.headers where !HTTP1ResponseWriter.isOwn(field.name) { block.append(field) }
        block.append("date") { $0.append(contentsOf: date.utf8) }
        // gRPC peers expect none with trailers.
        if response.mayHaveBody, response.trailers == nil {
            block.append("content-length") { $0.appendDecimal(response.body.count) }
        }
        return block
    }

    static func trailers(_ fields: HTTPFields) -> HTTP2FieldBlock {
        var block = HTTP2FieldBlock()
        for field in fields where !HTTP1ResponseWriter.isOwn(field.name) { block.append(field) }
        return block
    }

    /// `value` appends the value's bytes.
    mutating func append(_ name: String, _ value: (inout [UInt8]) -> Void) {
        bytes.append(contentsOf: name.utf8)
        let before = bytes.count
        value(&bytes)
        lengths.append((name.utf8.count, bytes.count - before))
    }

    private mutating func append(_ field: HTTPField) {
        append(field.name.canonicalName) { bytes in
            field.withUnsafeBytesOfValue { bytes.append(contentsOf: $0) }
        }
    }

    /// nghttp2 copies the fields within the call.
    func withFields(_ body: (UnsafeBufferPointer<nghttp2_nv>) -> Void) {
        bytes.withUnsafeBufferPointer { bytes in
            // The library's type is mutable, its use of it is not.
            var next = UnsafeMutablePointer(mutating: bytes.baseAddress!)
            let fields = lengths.map { length in
                defer { next += length.name + length.value }
                return nghttp2_nv(
                    name: next, value: next + length.name, namelen: length.name, valuelen: length.value,
                    flags: UInt8(NGHTTP2_NV_FLAG_NONE.rawValue))
            }
            fields.withUnsafeBufferPointer(body)
        }
    }
}
