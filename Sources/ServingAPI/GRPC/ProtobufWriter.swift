/// Writes an encoded message field by field. Fields with their default value are left out, as proto3 does.
struct ProtobufWriter {
    private(set) var bytes: [UInt8] = []

    init(prefix: [UInt8] = [], capacity: Int = 64) {
        bytes.reserveCapacity(capacity)
        bytes += prefix
    }

    mutating func varint(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }

    mutating func integer(_ field: Int, _ value: UInt64) {
        guard value != 0 else { return }
        tag(field, wireType: 0)
        varint(value)
    }

    mutating func boolean(_ field: Int, _ value: Bool) { integer(field, value ? 1 : 0) }

    mutating func string(_ field: Int, _ value: String) {
        guard !value.isEmpty else { return }
        element(field, value)
    }

    /// An element of a repeated string: an empty one counts.
    mutating func element(_ field: Int, _ value: String) {
        length(field, value.utf8.count)
        bytes.append(contentsOf: value.utf8)
    }

    mutating func strings(_ field: Int, _ values: [String]) { for value in values { element(field, value) } }

    /// A repeated integer, packed; negative ones take ten bytes.
    mutating func integers(_ field: Int, _ values: [Int]) {
        guard !values.isEmpty else { return }
        message(field) { writer in
            for value in values { writer.varint(UInt64(bitPattern: Int64(value))) }
        }
    }

    /// A message, or anything else with a length, that `body` writes.
    mutating func message(_ field: Int, _ body: (inout ProtobufWriter) -> Void) {
        var writer = ProtobufWriter()
        body(&writer)
        length(field, writer.bytes.count)
        bytes.append(contentsOf: writer.bytes)
    }

    /// `byteCount` bytes that `append` appends.
    mutating func data(_ field: Int, byteCount: Int, _ append: (inout [UInt8]) -> Void) {
        length(field, byteCount)
        let before = bytes.count
        append(&bytes)
        precondition(bytes.count - before == byteCount, "\(bytes.count - before) bytes, not \(byteCount)")
    }

    private mutating func tag(_ field: Int, wireType: UInt64) { varint(UInt64(field) << 3 | wireType) }

    private mutating func length(_ field: Int, _ count: Int) {
        tag(field, wireType: 2)
        varint(UInt64(count))
    }
}
