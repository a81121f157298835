extension JSONReader {
    /// A string of at most `limits.maximumStringByteCount` bytes.
    mutating func string() throws(RequestError) -> String {
        try expectQuote()
        let start = position
        var text: [UInt8] = []
        while true {
            let byte = try stringByte()
            if byte == UInt8(ascii: "\"") { break }
            if byte == UInt8(ascii: "\\") {
                try appendEscape(to: &text)
            } else {
                text.append(byte)
            }
            guard text.count <= limits.maximumStringByteCount else {
                throw error("a string of more than \(limits.maximumStringByteCount) bytes")
            }
        }
        guard let string = String(validating: text, as: UTF8.self) else {
            throw .json(reason: "a string is not UTF-8", byteOffset: start)
        }
        return string
    }

    /// Passes a string of any length.
    mutating func skipString() throws(RequestError) {
        try expectQuote()
        var ignored: [UInt8] = []
        while true {
            let byte = try stringByte()
            if byte == UInt8(ascii: "\"") { return }
            if byte == UInt8(ascii: "\\") {
                try appendEscape(to: &ignored)
                ignored.removeAll(keepingCapacity: true)
            }
        }
    }

    private mutating func stringByte() throws(RequestError) -> UInt8 {
        guard position < end else { throw error("a string does not end") }
        let byte = bytes[position]
        guard byte >= 0x20 else { throw error("a control character in a string") }
        position += 1
        return byte
    }

    private mutating func appendEscape(to text: inout [UInt8]) throws(RequestError) {
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
        default: throw error("an unknown escape")
        }
    }

    /// The scalar of `\uXXXX`, or of two that form a surrogate pair; the first `\u` is passed already.
    private mutating func escapedScalar() throws(RequestError) -> Unicode.Scalar {
        let first = try hexadecimal()
        if let scalar = Unicode.Scalar(first) { return scalar }
        guard first < 0xDC00, try stringByte() == UInt8(ascii: "\\"), try stringByte() == UInt8(ascii: "u")
        else { throw error("half a surrogate pair") }
        let second = try hexadecimal()
        guard (0xDC00..<0xE000).contains(second),
            let scalar = Unicode.Scalar(0x10000 + (first - 0xD800) << 10 + (second - 0xDC00))
        else { throw error("half a surrogate pair") }
        return scalar
    }

    private mutating func hexadecimal() throws(RequestError) -> UInt32 {
        var value: UInt32 = 0
        for _ in 0..<4 {
            let digit: UInt8
            switch try stringByte() {
            case let byte where (0x30...0x39).contains(byte): digit = byte - 0x30
            case let byte where (0x41...0x46).contains(byte): digit = byte - 0x41 + 10
            case let byte where (0x61...0x66).contains(byte): digit = byte - 0x61 + 10
            default: throw error("expected four hexadecimal digits")
            }
            value = value << 4 | UInt32(digit)
        }
        return value
    }
}
