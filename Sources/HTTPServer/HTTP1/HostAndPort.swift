/// What a Host field, `:authority` or an absolute-form target names: uri-host [ ":" port ], RFC 3986 §3.2.2 and §3.2.3.
/// Two servers that read a malformed one differently may route one request to two places.
enum HostAndPort {
    /// Unreserved and sub-delims; '%' stands before two hexadecimal digits.
    private static let name = ASCIISet(
        "!$&'()*+,-.;=_~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")

    /// An empty host is valid: RFC 9110 §7.2 lets a client send it where its target has no authority.
    static func isValid(_ text: String) -> Bool {
        var text = text
        return text.withUTF8 { isValid($0) }
    }

    private static func isValid(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
        let isLiteral = bytes.first == UInt8(ascii: "[")
        var index = isLiteral ? 1 : 0
        while index < bytes.count {
            switch bytes[index] {
            case UInt8(ascii: "%"):
                guard index + 2 < bytes.count, bytes[index + 1].hexadecimalDigit != nil,
                    bytes[index + 2].hexadecimalDigit != nil
                else { return false }
                index += 3
            case UInt8(ascii: ":") where isLiteral: index += 1
            case UInt8(ascii: ":"): return isPort(bytes[(index + 1)...])
            case UInt8(ascii: "]") where isLiteral && index > 1:
                let rest = bytes[(index + 1)...]
                return rest.isEmpty || rest.first == UInt8(ascii: ":") && isPort(rest.dropFirst())
            case let byte:
                guard name.contains(byte) else { return false }
                index += 1
            }
        }
        return !isLiteral
    }

    private static func isPort(_ bytes: Slice<UnsafeBufferPointer<UInt8>>) -> Bool {
        bytes.allSatisfy { $0.decimalDigit != nil }
    }
}
