/// The shortest decimal of a Float that reads back the same, the nearest of those, in the form of `Float.description`.
///
/// Source: Giulietti, "The Schubfach way to render doubles" (2021), §9, carried over to 32 bits.
struct FloatText {
    /// The most bytes of one number: `-1.17549435e-38`.
    static let maximumByteCount = 15

    /// The first 64 bits of 10^-31 … 10^45, rounded up.
    private static let powers: [UInt64] = [
        0x81CEB32C4B43FCF5, 0xA2425FF75E14FC32, 0xCAD2F7F5359A3B3F, 0xFD87B5F28300CA0E,
        0x9E74D1B791E07E49, 0xC612062576589DDB, 0xF79687AED3EEC552, 0x9ABE14CD44753B53,
        0xC16D9A0095928A28, 0xF1C90080BAF72CB2, 0x971DA05074DA7BEF, 0xBCE5086492111AEB,
        0xEC1E4A7DB69561A6, 0x9392EE8E921D5D08, 0xB877AA3236A4B44A, 0xE69594BEC44DE15C,
        0x901D7CF73AB0ACDA, 0xB424DC35095CD810, 0xE12E13424BB40E14, 0x8CBCCC096F5088CC,
        0xAFEBFF0BCB24AAFF, 0xDBE6FECEBDEDD5BF, 0x89705F4136B4A598, 0xABCC77118461CEFD,
        0xD6BF94D5E57A42BD, 0x8637BD05AF6C69B6, 0xA7C5AC471B478424, 0xD1B71758E219652C,
        0x83126E978D4FDF3C, 0xA3D70A3D70A3D70B, 0xCCCCCCCCCCCCCCCD, 0x8000000000000000,
        0xA000000000000000, 0xC800000000000000, 0xFA00000000000000, 0x9C40000000000000,
        0xC350000000000000, 0xF424000000000000, 0x9896800000000000, 0xBEBC200000000000,
        0xEE6B280000000000, 0x9502F90000000000, 0xBA43B74000000000, 0xE8D4A51000000000,
        0x9184E72A00000000, 0xB5E620F480000000, 0xE35FA931A0000000, 0x8E1BC9BF04000000,
        0xB1A2BC2EC5000000, 0xDE0B6B3A76400000, 0x8AC7230489E80000, 0xAD78EBC5AC620000,
        0xD8D726B7177A8000, 0x878678326EAC9000, 0xA968163F0A57B400, 0xD3C21BCECCEDA100,
        0x84595161401484A0, 0xA56FA5B99019A5C8, 0xCECB8F27F4200F3A, 0x813F3978F8940985,
        0xA18F07D736B90BE6, 0xC9F2C9CD04674EDF, 0xFC6F7C4045812297, 0x9DC5ADA82B70B59E,
        0xC5371912364CE306, 0xF684DF56C3E01BC7, 0x9A130B963A6C115D, 0xC097CE7BC90715B4,
        0xF0BDC21ABB48DB21, 0x96769950B50D88F5, 0xBC143FA4E250EB32, 0xEB194F8E1AE525FE,
        0x92EFD1B8D0CF37BF, 0xB7ABC627050305AE, 0xE596B7B0C643C71A, 0x8F7E32CE7BEA5C70,
        0xB35DBF821AE4F38C,
    ]
    private static let firstPower = -31

    /// Numbers without a fraction below this have their digits in the mantissa.
    private static let fractionBitCount = 23

    // Valid while `withTables` runs.
    private let powers: UnsafePointer<UInt64>
    /// `00`, `01`, … `99`.
    private let pairs: UnsafePointer<UInt8>

    private static let pairText: StaticString = """
        00010203040506070809101112131415161718192021222324252627282930313233343536373839404142434445464748495051525354\
        55565758596061626364656667686970717273747576777879808182838485868788899091929394959697989900
        """

    /// Calls `body` with a writer that is valid during the call.
    @inline(__always)
    static func withTables<Result>(_ body: (FloatText) -> Result) -> Result {
        powers.withUnsafeBufferPointer { powers in
            // The table is not empty, so it has an address.
            body(FloatText(powers: powers.baseAddress!, pairs: pairText.utf8Start))
        }
    }

    /// Writes a finite value to memory with room for `maximumByteCount` bytes; gives how many it took.
    @inline(__always)
    func write(_ value: Float, to start: UnsafeMutablePointer<UInt8>) -> Int {
        var target = start
        if value.sign == .minus {
            target[0] = UInt8(ascii: "-")
            target += 1
        }
        let bits = value.bitPattern & 0x7FFF_FFFF
        if bits == 0 { return target - start + put("0.0", target) }
        let fraction = bits & 0x007F_FFFF
        let biased = Int(bits >> 23)
        let mantissa = biased == 0 ? fraction : fraction | 0x0080_0000
        let exponent = max(biased, 1) - 150
        if exponent <= 0, exponent >= -Self.fractionBitCount,
            mantissa & (1 << UInt32(-exponent) &- 1) == 0
        {
            let integer = mantissa >> UInt32(-exponent)
            let count = Self.digitCount(integer)
            put(integer, count, target)
            return target - start + count + put(".0", target + count)
        }
        let decimal = decimal(mantissa, exponent, isLowerCloser: fraction == 0 && biased > 1)
        return target - start + put(decimal.digits, decimal.exponent, isLarge: bits > 0x4B80_0000, target)
    }

    /// The digits and the power of ten of a magnitude mantissa·2^exponent.
    @inline(__always)
    private func decimal(
        _ mantissa: UInt32, _ exponent: Int, isLowerCloser: Bool
    ) -> (digits: UInt32, exponent: Int) {
        // ⌊log10 2^q⌋ and, where the interval below is half as wide, ⌊log10 ¾·2^q⌋.
        let power = (exponent * 1_262_611 - (isLowerCloser ? 524_031 : 0)) >> 22
        // ⌊log2 10^-k⌋
        let shift = UInt32(exponent + (-power * 1_741_647) >> 19 + 1)
        let factor = powers[-power - Self.firstPower]
        let odd = mantissa & 1
        let lower = Self.roundToOdd(factor, (4 * mantissa - 2 + (isLowerCloser ? 1 : 0)) << shift) + odd
        let middle = Self.roundToOdd(factor, 4 * mantissa << shift)
        let upper = Self.roundToOdd(factor, (4 * mantissa + 2) << shift) - odd
        let digits = middle / 4
        if digits >= 10 {
            let tenth = digits / 10
            let isBelowInside = lower <= 40 * tenth
            let isAboveInside = 40 * tenth + 40 <= upper
            if isBelowInside != isAboveInside { return (tenth + (isAboveInside ? 1 : 0), power + 1) }
        }
        let isBelowInside = lower <= 4 * digits
        let isAboveInside = 4 * digits + 4 <= upper
        if isBelowInside != isAboveInside { return (digits + (isAboveInside ? 1 : 0), power) }
        let half = 4 * digits + 2
        return (digits + (middle > half || middle == half && digits & 1 == 1 ? 1 : 0), power)
    }

    /// The product's bits from the 64th on, the lowest set where anything below is.
    @inline(__always)
    private static func roundToOdd(_ factor: UInt64, _ value: UInt32) -> UInt32 {
        let (high, low) = factor.multipliedFullWidth(by: UInt64(value))
        return UInt32(truncatingIfNeeded: high) | (low >> 32 > 1 ? 1 : 0)
    }

    /// digits·10^exponent, as `Float.description` has it.
    @inline(__always)
    private func put(
        _ digits: UInt32, _ exponent: Int, isLarge: Bool, _ target: UnsafeMutablePointer<UInt8>
    ) -> Int {
        var (digits, exponent) = (digits, exponent)
        while digits % 10 == 0 {
            digits /= 10
            exponent += 1
        }
        let count = Self.digitCount(digits)
        /// The value is 0.digits·10^point.
        let point = count + exponent
        if point < -3 || isLarge { return putScientific(digits, count, point - 1, target) }
        if point <= 0 {
            var position = put("0.", target)
            for _ in 0..<(-point) {
                target[position] = UInt8(ascii: "0")
                position += 1
            }
            put(digits, count, target + position)
            return position + count
        }
        if point >= count {
            put(digits, count, target)
            for position in count..<point { target[position] = UInt8(ascii: "0") }
            return point + put(".0", target + point)
        }
        put(digits, count, target + 1)
        for position in 0..<point { target[position] = target[position + 1] }
        target[point] = UInt8(ascii: ".")
        return count + 1
    }

    /// `1.5e-07`: at least two digits of the exponent, a fraction only where there is one.
    private func putScientific(
        _ digits: UInt32, _ count: Int, _ exponent: Int, _ target: UnsafeMutablePointer<UInt8>
    ) -> Int {
        put(digits, count, target + 1)
        target[0] = target[1]
        var position = 1
        if count > 1 {
            target[1] = UInt8(ascii: ".")
            position = count + 1
        }
        position += put(exponent < 0 ? "e-" : "e+", target + position)
        put(UInt32(abs(exponent)), 2, target + position)
        return position + 2
    }

    /// Exactly `count` digits.
    @inline(__always)
    private func put(_ number: UInt32, _ count: Int, _ target: UnsafeMutablePointer<UInt8>) {
        var (number, position) = (number, count)
        while position >= 2 {
            position -= 2
            let pair = Int(number % 100) * 2
            number /= 100
            target[position] = pairs[pair]
            target[position + 1] = pairs[pair + 1]
        }
        if position == 1 { target[0] = UInt8(truncatingIfNeeded: number) + UInt8(ascii: "0") }
    }

    @inline(__always)
    private func put(_ text: StaticString, _ target: UnsafeMutablePointer<UInt8>) -> Int {
        for index in 0..<text.utf8CodeUnitCount { target[index] = text.utf8Start[index] }
        return text.utf8CodeUnitCount
    }

    @inline(__always)
    private static func digitCount(_ number: UInt32) -> Int {
        if number >= 100_000 {
            if number >= 10_000_000 { return number >= 1_000_000_000 ? 10 : number >= 100_000_000 ? 9 : 8 }
            return number >= 1_000_000 ? 7 : 6
        }
        if number >= 1000 { return number >= 10_000 ? 5 : 4 }
        return number >= 100 ? 3 : number >= 10 ? 2 : 1
    }
}
