/// Puts encoded messages together by hand.
struct ProtobufMessage {
    private(set) var bytes: [UInt8] = []

    static func varint(_ value: UInt64) -> [UInt8] {
        var rest = value
        var bytes: [UInt8] = []
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        return bytes + [UInt8(rest)]
    }

    func adding(_ field: Int, _ content: [UInt8]) -> ProtobufMessage {
        raw(Self.varint(UInt64(field) << 3 | 2) + Self.varint(UInt64(content.count)) + content)
    }

    func adding(_ field: Int, _ text: String) -> ProtobufMessage { adding(field, Array(text.utf8)) }

    func adding(_ field: Int, _ message: ProtobufMessage) -> ProtobufMessage { adding(field, message.bytes) }

    func adding(_ field: Int, number: UInt64) -> ProtobufMessage {
        raw(Self.varint(UInt64(field) << 3) + Self.varint(number))
    }

    func raw(_ more: [UInt8]) -> ProtobufMessage {
        var message = self
        message.bytes += more
        return message
    }

    /// In the frame of gRPC.
    func framed(flag: UInt8 = 0) -> [UInt8] {
        [flag] + withUnsafeBytes(of: UInt32(bytes.count).bigEndian, Array.init) + bytes
    }

    /// An input; `packed` are the elements of the field `number` of its contents.
    static func input(
        _ name: String, _ datatype: String, _ shape: [Int], field number: Int? = nil, packed: [UInt8] = []
    ) -> ProtobufMessage {
        let extents = shape.flatMap { varint(UInt64(bitPattern: Int64($0))) }
        let input = ProtobufMessage().adding(1, name).adding(2, datatype).adding(3, extents)
        return number.map { input.adding(5, ProtobufMessage().adding($0, packed)) } ?? input
    }
}
