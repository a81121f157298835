/// The frame around a message: a flag that says whether it is compressed, its length, its bytes.
///
/// Source: gRPC over HTTP/2, "Length-Prefixed-Message".
enum GRPCFrame {
    static let headerByteCount = 5

    /// Where the one message of a unary call lies in the body, and whether it is compressed.
    static func message(in body: [UInt8]) throws(RequestError) -> (range: Range<Int>, isCompressed: Bool) {
        guard body.count >= headerByteCount else {
            throw .frame(reason: body.isEmpty ? "the call has no message" : "the message's frame is cut off")
        }
        guard body[0] <= 1 else { throw .frame(reason: "a message's first byte is \(body[0]), not 0 or 1") }
        let length = body[1..<headerByteCount].reduce(0) { $0 << 8 | Int($1) }
        let available = body.count - headerByteCount
        guard length <= available else {
            throw .frame(reason: "a message of \(length) bytes is announced, \(available) came")
        }
        guard length == available else {
            throw .frame(reason: "\(available - length) bytes follow the one message of a unary call")
        }
        return (headerByteCount..<body.count, body[0] == 1)
    }

    /// A writer whose bytes begin with room for a frame's header.
    static func begin(capacity: Int = 64) -> ProtobufWriter {
        ProtobufWriter(
            prefix: [UInt8](repeating: 0, count: headerByteCount), capacity: headerByteCount + capacity)
    }

    /// The framed message of a writer that `begin` made; `nil` for one over 4 GiB.
    static func end(_ writer: ProtobufWriter) -> [UInt8]? {
        var frame = writer.bytes
        guard let length = UInt32(exactly: frame.count - headerByteCount) else { return nil }
        for (index, byte) in withUnsafeBytes(of: length.bigEndian, Array.init).enumerated() {
            frame[1 + index] = byte
        }
        return frame
    }
}
