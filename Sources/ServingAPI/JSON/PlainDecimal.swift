/// A number as most are: up to seven digits, perhaps a point and up to 23 more, no exponent, and few enough for 63 bits.
///
/// Lengths vary from number to number, so nothing branches on them: a branch that cannot be foreseen costs more than the
/// digits. Everything stays in registers: it is read from no memory but the text's and a table's.
struct PlainDecimal {
    let isNegative: Bool
    /// All digits as one number, below 10^18: signed, it is converted in one instruction.
    let mantissa: Int64
    let fractionCount: Int
    let end: Int

    /// More than the bytes that are read at most: a sign, seven digits, a point, and three times eight bytes.
    private static let reach = 48

    /// `nil` for anything else, and near the end of the text; nothing is passed.
    @inline(__always)
    init?(_ scanner: borrowing NumberScanner) {
        guard let base = scanner.bytes.baseAddress, scanner.bytes.count - scanner.position >= Self.reach
        else {
            return nil
        }
        let powers = scanner.powers
        isNegative = base[scanner.position] == UInt8(ascii: "-")
        var position = scanner.position &+ (isNegative ? 1 : 0)
        var integer = (value: UInt64(base[position] &- UInt8(ascii: "0")), count: 1 as UInt)
        // Most have one digit before the point.
        if integer.value > 9 || base[position + 1] != UInt8(ascii: ".") {
            integer = NumberScanner.leadingDigits(base + position)
            guard integer.count &- 1 < 7 as UInt,
                integer.count == 1 || base[position] != UInt8(ascii: "0")
            else { return nil }
        }
        position &+= Int(integer.count)
        var mantissa = integer.value
        var fractionCount = 0
        if base[position] == UInt8(ascii: ".") {
            position &+= 1
            let first = NumberScanner.leadingDigits(base + position)
            // Behind eight digits only.
            let second = NumberScanner.leadingDigits(base + position + 8, mask: first.count == 8 ? 8 : 0)
            var count = first.count &+ second.count
            // Sixteen digits fit; with some before the point eighteen do. In this order: that is nearly always so, and whether
            // the integer is 0 cannot be foreseen.
            guard integer.count &+ count <= 18 || mantissa == 0 else { return nil }
            mantissa =
                (mantissa &* powers[Int(first.count)] &+ first.value) &* powers[Int(second.count)]
                &+ second.value
            if count == 16 {
                let third = NumberScanner.leadingDigits(base + position + 16)
                // Eleven digits and seven more fit, or sixteen and two: leading zeros do not count.
                guard third.count < 8,
                    integer.count &+ count &+ third.count <= 18 || mantissa < 100_000_000_000
                        || mantissa < 10_000_000_000_000_000 && third.count <= 2
                else { return nil }
                mantissa = mantissa &* powers[Int(third.count)] &+ third.value
                count &+= third.count
            }
            guard count > 0 else { return nil }
            fractionCount = Int(count)
            position &+= fractionCount
        }
        guard base[position] | 0x20 != UInt8(ascii: "e") else { return nil }
        self.mantissa = Int64(truncatingIfNeeded: mantissa)
        self.fractionCount = fractionCount
        end = position
    }
}
