/// What a protobuf message's fields hold, as far as a mutator has to know.
package protocol WireSchema: Sendable {
    /// The message in a field, where it is one.
    func inner(_ field: UInt64) -> Self?
    /// Whether a field names something: names are replaced by others.
    func isName(_ field: UInt64) -> Bool
    /// Names that mean something in a field; those of the message beside it where there are none.
    func vocabulary(_ field: UInt64) -> [String]
}

/// Takes a protobuf message apart, changes one field, and puts it together again with right lengths.
package struct WireMutator<Schema: WireSchema> {
    private struct Field {
        var message: Schema
        var number: UInt64
        var wireType: UInt64
        /// A varint, or the eight or four bytes of a fixed number.
        var value: UInt64 = 0
        var bytes: [UInt8] = []
        var fields: [Field]?
    }

    private static var maximumDepth: Int { 12 }
    private static var integers: [UInt64] {
        [
            0, 1, 2, 3, 4, 7, 10, 16, 1 << 16, 1 << 31, 1 << 32, 1 << 62, 1 << 63, .max, .max - 1, .max - 3,
        ]
    }
    private let root: Schema
    private var random: Generator

    /// `root` is what the bytes are.
    package init(seed: UInt64, root: Schema) {
        random = Generator(seed: seed)
        self.root = root
    }

    /// `nil` when the bytes are no message, or now and then, so that damaged ones are tried too.
    package mutating func mutated(_ bytes: UnsafeBufferPointer<UInt8>, maximum: Int) -> [UInt8]? {
        guard !chance(4), var fields = Self.parse(bytes[0..<bytes.count], root, depth: 0) else {
            return nil
        }
        for _ in 0..<pick(1...3) { mutate(&fields) }
        let result = Self.encoded(fields)
        return result.count <= maximum ? result : nil
    }

    private mutating func chance(_ percent: Int) -> Bool { pick(1...100) <= percent }
    private mutating func pick(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &random) }

    private mutating func mutate(_ fields: inout [Field]) {
        guard !fields.isEmpty else { return }
        let index = pick(0...fields.count - 1)
        if fields[index].fields != nil, !chance(8) {
            mutate(&fields[index].fields!)
            return
        }
        switch pick(0...9) {
        case 0: fields.remove(at: index)
        case 1: fields.insert(fields[index], at: pick(0...fields.count))
        case 2: fields.swapAt(index, pick(0...fields.count - 1))
        default: change(&fields[index], names: fields.filter { $0.message.isName($0.number) }.map(\.bytes))
        }
    }

    private mutating func change(_ field: inout Field, names: [[UInt8]]) {
        switch field.wireType {
        case 0: field.value = number(field.value)
        case 1, 5:
            field.value = chance(50) ? number(field.value) : UInt64.random(in: 0 ... .max, using: &random)
        case _ where field.message.isName(field.number) && chance(80): field.bytes = name(field, names)
        default:
            var bytes = field.bytes + [UInt8](repeating: 0, count: 64)
            let count = bytes.withUnsafeMutableBufferPointer {
                libFuzzerMutate($0.baseAddress!, field.bytes.count, $0.count)
            }
            field.bytes = Array(bytes[..<count])
        }
    }

    private mutating func number(_ value: UInt64) -> UInt64 {
        switch pick(0...3) {
        case 0: value &+ 1
        case 1: value &- 1
        case 2: UInt64(pick(0...16))
        default: Self.integers.randomElement(using: &random)!
        }
    }

    private mutating func name(_ field: Field, _ names: [[UInt8]]) -> [UInt8] {
        if let known = field.message.vocabulary(field.number).randomElement(using: &random) {
            return Array(known.utf8)
        }
        return chance(10) ? [] : names.randomElement(using: &random) ?? []
    }

    // MARK: - The wire

    private static func parse(
        _ bytes: Swift.Slice<UnsafeBufferPointer<UInt8>>, _ message: Schema, depth: Int
    ) -> [Field]? {
        guard depth < maximumDepth else { return nil }
        var rest = bytes
        var fields: [Field] = []
        while !rest.isEmpty {
            guard let key = varint(&rest) else { return nil }
            var field = Field(message: message, number: key >> 3, wireType: key & 7)
            switch field.wireType {
            case 0:
                guard let value = varint(&rest) else { return nil }
                field.value = value
            case 1, 5:
                let width = field.wireType == 1 ? 8 : 4
                guard rest.count >= width else { return nil }
                for (shift, byte) in rest.prefix(width).enumerated() {
                    field.value |= UInt64(byte) << (8 * shift)
                }
                rest = rest.dropFirst(width)
            case 2:
                guard let length = varint(&rest), length <= UInt64(rest.count) else { return nil }
                let content = rest.prefix(Int(length))
                rest = rest.dropFirst(Int(length))
                if let inner = message.inner(field.number),
                    let fields = parse(content, inner, depth: depth + 1)
                {
                    field.fields = fields
                } else {
                    field.bytes = Array(content)
                }
            default: return nil
            }
            fields.append(field)
        }
        return fields
    }

    private static func varint(_ bytes: inout Swift.Slice<UnsafeBufferPointer<UInt8>>) -> UInt64? {
        var value: UInt64 = 0
        for shift in 0..<10 {
            guard let byte = bytes.popFirst() else { return nil }
            value |= UInt64(byte & 0x7f) << (7 * UInt64(shift))
            if byte < 0x80 { return value }
        }
        return nil
    }

    private static func encoded(_ fields: [Field]) -> [UInt8] {
        var bytes: [UInt8] = []
        for field in fields {
            append(field.number << 3 | field.wireType, to: &bytes)
            switch field.wireType {
            case 0: append(field.value, to: &bytes)
            case 1: bytes += (0..<8).map { UInt8(truncatingIfNeeded: field.value >> (8 * $0)) }
            case 5: bytes += (0..<4).map { UInt8(truncatingIfNeeded: field.value >> (8 * $0)) }
            default:
                let content = field.fields.map(encoded) ?? field.bytes
                append(UInt64(content.count), to: &bytes)
                bytes += content
            }
        }
        return bytes
    }

    private static func append(_ value: UInt64, to bytes: inout [UInt8]) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(rest & 0x7f) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }
}
