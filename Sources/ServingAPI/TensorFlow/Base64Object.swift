/// `{"b64": "…"}`, which stands for bytes. Source: RFC 4648 §4; TF Serving's REST API, "Encoding binary values".
enum Base64Object {
    /// Whether the object at the scanner's position begins with the key `b64`.
    static func begins(_ scanner: NumberScanner) -> Bool {
        var scanner = scanner
        return key(&scanner)
    }

    /// Passes the object and gives its bytes; `nil` for any other value.
    static func read(_ scanner: inout NumberScanner) -> [UInt8]? {
        guard key(&scanner), let bytes = string(&scanner), scanner.skip(UInt8(ascii: "}")) else { return nil }
        return bytes
    }

    private static func key(_ scanner: inout NumberScanner) -> Bool {
        guard scanner.skip(UInt8(ascii: "{")) else { return false }
        scanner.skipSpace()
        return scanner.skipWord("\"b64\"") && scanner.skip(UInt8(ascii: ":"))
    }

    /// A string of base64, padded or not, where a slash may be escaped.
    private static func string(_ scanner: inout NumberScanner) -> [UInt8]? {
        guard scanner.skip(UInt8(ascii: "\"")) else { return nil }
        var bytes: [UInt8] = []
        var bits: UInt32 = 0
        var bitCount = 0
        var digitCount = 0
        var paddingCount = 0
        while let byte = scanner.current {
            scanner.position += 1
            switch byte {
            case UInt8(ascii: "\""):
                // One digit of four is no byte; what is left over must be 0, and padding fill the four.
                let isWhole = digitCount % 4 != 1 && bits & (1 << UInt32(bitCount) &- 1) == 0
                let isPadded = paddingCount == 0 || (digitCount + paddingCount) % 4 == 0 && paddingCount <= 2
                return isWhole && isPadded ? bytes : nil
            case UInt8(ascii: "="): paddingCount += 1
            case UInt8(ascii: "\\") where scanner.current == UInt8(ascii: "/"): continue
            default:
                guard paddingCount == 0, let digit = digit(byte) else { return nil }
                digitCount += 1
                bits = bits << 6 | digit
                bitCount += 6
                if bitCount >= 8 {
                    bitCount -= 8
                    bytes.append(UInt8(truncatingIfNeeded: bits >> UInt32(bitCount)))
                }
            }
        }
        return nil
    }

    private static func digit(_ byte: UInt8) -> UInt32? {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): UInt32(byte - UInt8(ascii: "A"))
        case UInt8(ascii: "a")...UInt8(ascii: "z"): UInt32(byte - UInt8(ascii: "a")) + 26
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(byte - UInt8(ascii: "0")) + 52
        case UInt8(ascii: "+"): 62
        case UInt8(ascii: "/"): 63
        default: nil
        }
    }
}
