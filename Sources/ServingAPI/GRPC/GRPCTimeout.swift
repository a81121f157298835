/// The value of `grpc-timeout`: at most eight digits and a unit.
enum GRPCTimeout {
    private static let maximumDigitCount = 8

    /// Microseconds, rounded up; `nil` for anything malformed.
    static func microseconds(_ text: String) -> UInt64? {
        let digits = text.utf8.dropLast()
        guard let unit = text.utf8.last, (1...maximumDigitCount).contains(digits.count),
            digits.allSatisfy({ (0x30...0x39).contains($0) }),
            let value = UInt64(String(decoding: digits, as: UTF8.self))
        else { return nil }
        // Eight digits of hours are 3.6 · 10^17 µs: nothing overflows.
        switch unit {
        case UInt8(ascii: "H"): return value * 3_600_000_000
        case UInt8(ascii: "M"): return value * 60_000_000
        case UInt8(ascii: "S"): return value * 1_000_000
        case UInt8(ascii: "m"): return value * 1000
        case UInt8(ascii: "u"): return value
        case UInt8(ascii: "n"): return (value + 999) / 1000
        default: return nil
        }
    }
}
