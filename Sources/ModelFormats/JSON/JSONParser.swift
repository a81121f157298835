/// Makes values of JSON text (RFC 8259) that nobody vouches for: depth, count and lengths are bounded.
///
/// Beyond the standard it takes the literals NaN, Infinity and -Infinity, which Python writes. A key that comes twice
/// is refused.
package struct JSONParser {
    package struct Failure: Error {
        package let reason: String
        package let byteOffset: Int
    }

    /// How deep lists and objects may nest: each level takes room on the stack.
    package static let maximumDepth = 64
    /// Values of any kind, keys included: each takes more memory than text.
    package static let maximumValueCount = 4_000_000
    package static let maximumNumberByteCount = 64
    package static let maximumStringByteCount = 1 << 20

    private let bytes: UnsafeBufferPointer<UInt8>
    private var position = 0
    private var depth = 0
    private var valueCount = 0

    package static func parse(_ bytes: [UInt8]) throws(Failure) -> JSON {
        try bytes.withUnsafeBufferPointer { (buffer) throws(Failure) in
            var parser = JSONParser(bytes: buffer)
            let value = try parser.value()
            guard parser.peek() == nil else { throw parser.failure("expected the end") }
            return value
        }
    }

    private init(bytes: UnsafeBufferPointer<UInt8>) { self.bytes = bytes }

    private func failure(_ reason: String) -> Failure { Failure(reason: reason, byteOffset: position) }

    /// The next byte that is no white space, which is not passed; `nil` at the end.
    private mutating func peek() -> UInt8? {
        while position < bytes.count {
            let byte = bytes[position]
            guard byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 else { return byte }
            position += 1
        }
        return nil
    }

    private mutating func skip(_ character: Unicode.Scalar) -> Bool {
        guard peek() == UInt8(ascii: character) else { return false }
        position += 1
        return true
    }

    private mutating func expect(_ character: Unicode.Scalar) throws(Failure) {
        guard skip(character) else { throw failure("expected '\(character)'") }
    }

    private mutating func count() throws(Failure) {
        valueCount += 1
        guard valueCount <= Self.maximumValueCount else {
            throw failure("more than \(Self.maximumValueCount) values")
        }
    }

    private mutating func value() throws(Failure) -> JSON {
        try count()
        switch peek() {
        case UInt8(ascii: "{"): return try object()
        case UInt8(ascii: "["): return try array()
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try literal("true", .boolean(true))
        case UInt8(ascii: "f"): return try literal("false", .boolean(false))
        case UInt8(ascii: "n"): return try literal("null", .null)
        case UInt8(ascii: "N"): return try literal("NaN", .real(.nan))
        case UInt8(ascii: "I"): return try literal("Infinity", .real(.infinity))
        default: return try number()
        }
    }

    private mutating func enter() throws(Failure) {
        depth += 1
        guard depth <= Self.maximumDepth else { throw failure("more than \(Self.maximumDepth) levels") }
    }

    private mutating func object() throws(Failure) -> JSON {
        try expect("{")
        try enter()
        var members: [String: JSON] = [:]
        if !skip("}") {
            repeat {
                guard peek() == UInt8(ascii: "\"") else { throw failure("expected a key") }
                try count()
                let key = try string()
                try expect(":")
                guard members.updateValue(try value(), forKey: key) == nil else {
                    throw failure("the key '\(key)' comes twice")
                }
            } while skip(",")
            try expect("}")
        }
        depth -= 1
        return .object(members)
    }

    private mutating func array() throws(Failure) -> JSON {
        try expect("[")
        try enter()
        var elements: [JSON] = []
        if !skip("]") {
            repeat { elements.append(try value()) } while skip(",")
            try expect("]")
        }
        depth -= 1
        return .array(elements)
    }

    private mutating func literal(_ text: StaticString, _ value: JSON) throws(Failure) -> JSON {
        let count = text.utf8CodeUnitCount
        guard bytes.count - position >= count,
            (0..<count).allSatisfy({ bytes[position + $0] == text.utf8Start[$0] })
        else { throw failure("expected \(text)") }
        position += count
        return value
    }

    private mutating func number() throws(Failure) -> JSON {
        let start = position
        var isInteger = true
        while position < bytes.count {
            switch bytes[position] {
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"): break
            case UInt8(ascii: "."), UInt8(ascii: "e"), UInt8(ascii: "E"), UInt8(ascii: "+"): isInteger = false
            case UInt8(ascii: "I") where position == start + 1 && bytes[start] == UInt8(ascii: "-"):
                return try literal("Infinity", .real(-.infinity))
            default: return try number(start, isInteger)
            }
            position += 1
        }
        return try number(start, isInteger)
    }

    private func number(_ start: Int, _ isInteger: Bool) throws(Failure) -> JSON {
        guard position > start else { throw failure("expected a value") }
        guard position - start <= Self.maximumNumberByteCount else { throw failure("a number is too long") }
        let text = String(decoding: bytes[start..<position], as: UTF8.self)
        if isInteger, let value = Int(text) { return .integer(value) }
        guard let value = Double(text) else { throw failure("expected a number") }
        return .real(value)
    }
}

// MARK: - Strings

extension JSONParser {
    private mutating func string() throws(Failure) -> String {
        position += 1
        let start = position
        var text: [UInt8] = []
        while true {
            let byte = try stringByte()
            if byte == UInt8(ascii: "\"") { break }
            if byte == UInt8(ascii: "\\") { try appendEscape(to: &text) } else { text.append(byte) }
            guard text.count <= Self.maximumStringByteCount else {
                throw failure("a string of more than \(Self.maximumStringByteCount) bytes")
            }
        }
        guard let string = String(validating: text, as: UTF8.self) else {
            throw Failure(reason: "a string is not UTF-8", byteOffset: start)
        }
        return string
    }

    private mutating func stringByte() throws(Failure) -> UInt8 {
        guard position < bytes.count else { throw failure("a string does not end") }
        let byte = bytes[position]
        guard byte >= 0x20 else { throw failure("a control character in a string") }
        position += 1
        return byte
    }

    private mutating func appendEscape(to text: inout [UInt8]) throws(Failure) {
        switch try stringByte() {
        case UInt8(ascii: "\""): text.append(UInt8(ascii: "\""))
        case UInt8(ascii: "\\"): text.append(UInt8(ascii: "\\"))
        case UInt8(ascii: "/"): text.append(UInt8(ascii: "/"))
        case UInt8(ascii: "b"): text.append(0x08)
        case UInt8(ascii: "f"): text.append(0x0C)
        case UInt8(ascii: "n"): text.append(0x0A)
        case UInt8(ascii: "r"): text.append(0x0D)
        case UInt8(ascii: "t"): text.append(0x09)
        case UInt8(ascii: "u"): text.append(contentsOf: String(try escapedScalar()).utf8)
        default: throw failure("an unknown escape")
        }
    }

    /// The scalar of `\uXXXX`, or of two that form a surrogate pair; the first `\u` is passed already.
    private mutating func escapedScalar() throws(Failure) -> Unicode.Scalar {
        let first = try hexadecimal()
        if let scalar = Unicode.Scalar(first) { return scalar }
        guard first < 0xDC00, try stringByte() == UInt8(ascii: "\\"), try stringByte() == UInt8(ascii: "u")
        else { throw failure("half a surrogate pair") }
        let second = try hexadecimal()
        guard (0xDC00..<0xE000).contains(second),
            let scalar = Unicode.Scalar(0x10000 + (first - 0xD800) << 10 + (second - 0xDC00))
        else { throw failure("half a surrogate pair") }
        return scalar
    }

    private mutating func hexadecimal() throws(Failure) -> UInt32 {
        var value: UInt32 = 0
        for _ in 0..<4 {
            guard let digit = Character(Unicode.Scalar(try stringByte())).hexDigitValue else {
                throw failure("expected four hexadecimal digits")
            }
            value = value << 4 | UInt32(digit)
        }
        return value
    }
}
