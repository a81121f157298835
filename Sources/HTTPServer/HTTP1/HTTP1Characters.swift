/// The character classes of RFC 9110 §5 and RFC 3986, as bit sets over ASCII.
struct ASCIISet: Sendable {
    private var low: UInt64 = 0
    private var high: UInt64 = 0

    init(_ characters: StaticString) {
        for byte in UnsafeBufferPointer(start: characters.utf8Start, count: characters.utf8CodeUnitCount) {
            if byte < 64 { low |= 1 << UInt64(byte) } else { high |= 1 << UInt64(byte & 63) }
        }
    }

    func contains(_ byte: UInt8) -> Bool {
        if byte < 64 { return low >> UInt64(byte) & 1 == 1 }
        return byte < 128 && high >> UInt64(byte & 63) & 1 == 1
    }

    func containsAll(of bytes: Slice<UnsafeBufferPointer<UInt8>>) -> Bool {
        bytes.allSatisfy { contains($0) }
    }

    /// RFC 9110 §5.6.2: tchar.
    static let token = ASCIISet(
        "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
}

extension UInt8 {
    static let lineFeed = UInt8(ascii: "\n")
    static let carriageReturn = UInt8(ascii: "\r")
    static let space = UInt8(ascii: " ")
    static let tab = UInt8(ascii: "\t")

    /// RFC 9110 §5.5: a byte that a field value may hold between its ends.
    var isFieldValueByte: Bool { self >= 0x20 && self != 0x7f || self == .tab }

    /// RFC 9112 §3.2: a target holds visible ASCII; a fragment is never sent.
    var isTargetByte: Bool { self > 0x20 && self < 0x7f && self != UInt8(ascii: "#") }

    var decimalDigit: Int? { self >= 0x30 && self <= 0x39 ? Int(self) - 0x30 : nil }

    var hexadecimalDigit: Int? {
        switch self {
        case 0x30...0x39: Int(self) - 0x30
        case 0x41...0x46: Int(self) - 0x41 + 10
        case 0x61...0x66: Int(self) - 0x61 + 10
        default: nil
        }
    }
}

extension Slice where Base == UnsafeBufferPointer<UInt8> {
    /// RFC 9110 §5.6.3: without the spaces and tabs at both ends.
    var withoutOptionalWhitespace: Self {
        var bounds = startIndex..<endIndex
        while !bounds.isEmpty, self[bounds.lowerBound] == .space || self[bounds.lowerBound] == .tab {
            bounds = bounds.lowerBound + 1..<bounds.upperBound
        }
        while !bounds.isEmpty, self[bounds.upperBound - 1] == .space || self[bounds.upperBound - 1] == .tab {
            bounds = bounds.lowerBound..<bounds.upperBound - 1
        }
        return self[bounds]
    }

    var string: String { String(decoding: UnsafeBufferPointer(rebasing: self), as: UTF8.self) }
}
