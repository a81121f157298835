import CNGHTTP2
internal import HTTPTypes

/// A list of fields in one buffer, as nghttp2 wants them.
struct HTTP2FieldBlock {
    private var bytes: [UInt8] = []
    private var lengths: [(name: Int, value: Int)] = []
    /// Whose head this is, where it is an answer's: the next one's may be the same.
    private var source: Source?

    private struct Source: Equatable {
        let status: Int
        let bodyByteCount: Int?
        let date: String
        let headers: HTTPFields
    }

    /// An answer's head takes the place of what was there. RFC 9113 §8.2.2: no connection fields.
    mutating func setHead(of response: ServerResponse, date: String) {
        // gRPC peers expect no content-length with trailers.
        let hasLength = response.mayHaveBody && response.trailers == nil
        let source = Source(
            status: response.status.code, bodyByteCount: hasLength ? response.body.count : nil, date: date,
            headers: response.headers)
        guard source != self.source else { return }
        self.source = source
        bytes.removeAll(keepingCapacity: true)
        lengths.removeAll(keepingCapacity: true)
        append(":status") { $0.appendDecimal(response.status.code) }
        for field in response.headers where !HTTP1ResponseWriter.isOwn(field.name) { append(field) }
        append("date") { $0.append(contentsOf: date.utf8) }
        if let count = source.bodyByteCount { append("content-length") { $0.appendDecimal(count) } }
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
            withUnsafeTemporaryAllocation(of: nghttp2_nv.self, capacity: lengths.count) { fields in
                for (index, length) in lengths.enumerated() {
                    fields.initializeElement(
                        at: index,
                        to: nghttp2_nv(
                            name: next, value: next + length.name, namelen: length.name,
                            valuelen: length.value, flags: UInt8(NGHTTP2_NV_FLAG_NONE.rawValue)))
                    next += length.name + length.value
                }
                body(UnsafeBufferPointer(fields))
            }
        }
    }
}
