/// Walks the fields of one encoded message without copying; the bytes may hold anything.
///
/// Source: Protocol Buffers, "Encoding". Groups, which these services do not use, are refused.
struct ProtobufReader {
    enum Value {
        case varint(UInt64)
        case fixed64(UInt64)
        case fixed32(UInt32)
        /// Where the content lies, without its length.
        case bytes(Range<Int>)
    }

    struct Field {
        let number: Int
        let value: Value
    }

    let bytes: [UInt8]
    let limits: APILimits
    private let end: Int
    private(set) var position: Int

    /// The most bytes of a varint: 64 bits, seven in a byte.
    static let maximumVarintByteCount = 10

    /// `range` must lie inside `bytes`: it is a whole message or comes from a field.
    init(_ bytes: [UInt8], in range: Range<Int>, limits: APILimits) {
        precondition(range.lowerBound >= 0 && range.upperBound <= bytes.count, "a message outside its bytes")
        self.bytes = bytes
        self.limits = limits
        position = range.lowerBound
        end = range.upperBound
    }

    /// The message in a field.
    func nested(_ range: Range<Int>) -> ProtobufReader { ProtobufReader(bytes, in: range, limits: limits) }

    /// The bytes that are left.
    var byteCount: Int { end - position }

    var isAtEnd: Bool { position >= end }

    func error(_ reason: String) -> RequestError { .protobuf(reason: reason, byteOffset: position) }

    /// The next field, or `nil` at the end of the message.
    mutating func next() throws(RequestError) -> Field? {
        guard position < end else { return nil }
        let tag = try varint()
        guard tag <= UInt64(UInt32.max), tag >> 3 > 0 else {
            throw error("field number \(tag >> 3) is out of range")
        }
        let value: Value
        switch tag & 7 {
        case 0: value = .varint(try varint())
        case 1: value = .fixed64(try fixed(UInt64.self))
        case 2:
            let count = try varint()
            guard count <= UInt64(end - position) else {
                throw error("a field of \(count) bytes is longer than its message")
            }
            let start = position
            position += Int(count)
            value = .bytes(start..<position)
        case 5: value = .fixed32(try fixed(UInt32.self))
        default: throw error("wire type \(tag & 7) is not supported")
        }
        return Field(number: Int(tag >> 3), value: value)
    }

    /// The next varint. Throws when it is longer than 64 bits or than the message.
    @inline(__always)
    mutating func varint() throws(RequestError) -> UInt64 {
        var value: UInt64 = 0
        for index in 0..<Self.maximumVarintByteCount {
            guard position + index < end else { throw error("the message ends inside a number") }
            let byte = bytes[position + index]
            // The tenth byte has room for one bit.
            if index == Self.maximumVarintByteCount - 1, byte > 1 { break }
            value |= UInt64(byte & 0x7f) << (7 * UInt64(index))
            if byte < 0x80 {
                position += index + 1
                return value
            }
        }
        throw error("a number is longer than 64 bits")
    }

    @inline(__always)
    mutating func fixed<Number: FixedWidthInteger>(_ type: Number.Type) throws(RequestError) -> Number {
        let count = MemoryLayout<Number>.size
        guard count <= end - position else { throw error("the message ends inside a number") }
        let value = bytes.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: position, as: type) }
        position += count
        return Number(littleEndian: value)
    }
}

extension ProtobufReader {
    /// A string of at most `limits.maximumStringByteCount` bytes.
    func string(_ field: Field, _ name: String) throws(RequestError) -> String {
        let range = try range(field, name)
        guard range.count <= limits.maximumStringByteCount else {
            throw error("'\(name)' is longer than \(limits.maximumStringByteCount) bytes")
        }
        guard let string = String(validating: bytes[range], as: UTF8.self) else {
            throw error("'\(name)' is not UTF-8")
        }
        return string
    }

    /// Where a string, bytes or a message lies.
    func range(_ field: Field, _ name: String) throws(RequestError) -> Range<Int> {
        guard case .bytes(let range) = field.value else { throw error("'\(name)' is of another type") }
        return range
    }

    func number(_ field: Field, _ name: String) throws(RequestError) -> UInt64 {
        guard case .varint(let value) = field.value else { throw error("'\(name)' is of another type") }
        return value
    }

    /// Calls `body` with each element of a repeated integer's field, packed or not.
    func numbers(
        _ field: Field, _ name: String, _ body: (UInt64) throws(RequestError) -> Void
    ) throws(RequestError) {
        guard case .bytes(let range) = field.value else { return try body(try number(field, name)) }
        var reader = nested(range)
        while !reader.isAtEnd { try body(try reader.varint()) }
    }
}
