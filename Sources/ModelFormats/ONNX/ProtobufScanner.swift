/// Walks the fields of one encoded message without copying or allocating; the bytes may hold anything.
///
/// Source: Protocol Buffers, "Encoding". Groups, which ONNX does not use, are refused.
struct ProtobufScanner {
    /// Where the bytes stop being a message, and why.
    struct Damage: Error, Equatable {
        let reason: String
        let byteOffset: Int
    }

    enum WireType: UInt8 {
        case varint = 0
        case fixed64 = 1
        case lengthDelimited = 2
        case fixed32 = 5
    }

    struct Field {
        let number: Int
        let wireType: WireType
        /// The content, for `lengthDelimited` without the length.
        let content: Range<Int>
        /// The tag, the length and the content.
        let whole: Range<Int>
    }

    private let bytes: UnsafeRawBufferPointer
    private let end: Int
    private(set) var position: Int

    /// The most bytes of a varint: 64 bits, seven in a byte.
    static let maximumVarintByteCount = 10

    /// Traps when `range` is not inside `bytes`: it comes from a field that a scanner has returned.
    init(_ bytes: UnsafeRawBufferPointer, in range: Range<Int>) {
        precondition(range.lowerBound >= 0 && range.upperBound <= bytes.count, "a message outside its file")
        self.bytes = bytes
        position = range.lowerBound
        end = range.upperBound
    }

    /// The next field, or `nil` at the end of the message.
    mutating func nextField() throws(Damage) -> Field? {
        guard position < end else { return nil }
        let start = position
        let tag = try nextVarint()
        guard tag <= UInt64(UInt32.max), tag >> 3 > 0 else {
            throw Damage(reason: "field number \(tag >> 3) is out of range", byteOffset: start)
        }
        guard let wireType = WireType(rawValue: UInt8(tag & 7)) else {
            throw Damage(reason: "wire type \(tag & 7) is not supported", byteOffset: start)
        }
        let content: Range<Int>
        switch wireType {
        case .varint:
            let first = position
            _ = try nextVarint()
            content = first..<position
        case .fixed64: content = try take(8, fieldAt: start)
        case .fixed32: content = try take(4, fieldAt: start)
        case .lengthDelimited: content = try take(nextVarint(), fieldAt: start)
        }
        return Field(number: Int(tag >> 3), wireType: wireType, content: content, whole: start..<position)
    }

    /// The next varint. Throws when it is longer than 64 bits or than the message.
    mutating func nextVarint() throws(Damage) -> UInt64 {
        var value: UInt64 = 0
        for index in 0..<Self.maximumVarintByteCount {
            guard position + index < end else {
                throw Damage(reason: "the message ends inside a number", byteOffset: position)
            }
            let byte = bytes[position + index]
            // The tenth byte has room for one bit.
            if index == Self.maximumVarintByteCount - 1, byte > 1 { break }
            value |= UInt64(byte & 0x7f) << (7 * UInt64(index))
            if byte < 0x80 {
                position += index + 1
                return value
            }
        }
        throw Damage(reason: "a number is longer than 64 bits", byteOffset: position)
    }

    private mutating func take(_ byteCount: UInt64, fieldAt start: Int) throws(Damage) -> Range<Int> {
        let available = end - position
        guard byteCount <= UInt64(available) else {
            throw Damage(
                reason:
                    "a field of \(byteCount) bytes is longer than its message, which has \(available) left",
                byteOffset: start)
        }
        let range = position..<position + Int(byteCount)
        position = range.upperBound
        return range
    }
}
