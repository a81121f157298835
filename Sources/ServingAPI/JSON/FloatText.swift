/// The shortest decimal of a Float that reads back the same, the nearest of those, in the form of `Float.description`.
///
/// Lengths and signs vary from number to number, so next to nothing branches on them: nine digits are made for each number, and
/// its text ends before the zeros. Digits and text are two steps, for many numbers each: those beside each other then overlap.
///
/// Source: Giulietti, "The Schubfach way to render doubles" (2021), §9, carried over to 32 bits.
struct FloatText {
    /// The most bytes that writing one number touches, what follows its text included: a sign, nine digits, a point and eight more.
    static let room = 19

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
    /// `PowersOfTen.integers`.
    private let units: UnsafePointer<UInt64>

    /// Calls `body` with a writer that is valid during the call.
    @inline(__always)
    static func withTables<Result>(_ body: (FloatText) -> Result) -> Result {
        powers.withUnsafeBufferPointer { powers in
            PowersOfTen.integers.withUnsafeBufferPointer { units in
                // The tables are not empty, so they have addresses.
                body(FloatText(powers: powers.baseAddress!, units: units.baseAddress!))
            }
        }
    }

    /// A magnitude, 0.digits·10^point: nine digits, the last ones 0 where fewer do.
    struct Decimal {
        let digits: UInt32
        let point: Int32
    }

    /// The decimal of a finite value.
    @inline(__always)
    func decimal(_ value: Float) -> Decimal {
        let bits = value.bitPattern & 0x7FFF_FFFF
        let fraction = bits & 0x007F_FFFF
        let biased = Int(bits >> 23)
        let mantissa = biased == 0 ? fraction : fraction | 0x0080_0000
        let exponent = max(biased, 1) - 150
        let isInteger =
            exponent <= 0 && exponent >= -Self.fractionBitCount
            && mantissa & (1 << UInt32(-exponent) &- 1) == 0
        let (digits, power) =
            isInteger || bits == 0
            ? (mantissa >> UInt32(-exponent), 0)
            : shortest(mantissa, exponent, isLowerCloser: fraction == 0 && biased > 1)
        let count = digitCount(digits)
        return Decimal(
            digits: digits &* UInt32(truncatingIfNeeded: units[9 &- count]),
            point: Int32(truncatingIfNeeded: count &+ power))
    }

    /// The digits and the power of ten of a magnitude mantissa·2^exponent.
    @inline(__always)
    private func shortest(
        _ mantissa: UInt32, _ exponent: Int, isLowerCloser: Bool
    ) -> (digits: UInt32, exponent: Int) {
        // Nothing here comes near the bounds of its type: mantissas have 24 bits, exponents lie between -149 and 104.
        // ⌊log10 2^q⌋ and, where the interval below is half as wide, ⌊log10 ¾·2^q⌋.
        let power = (exponent &* 1_262_611 &- (isLowerCloser ? 524_031 : 0)) >> 22
        // ⌊log2 10^-k⌋
        let shift = UInt32(truncatingIfNeeded: exponent &+ ((0 &- power) &* 1_741_647) >> 19 &+ 1)
        let factor = powers[0 &- power &- Self.firstPower]
        let odd = mantissa & 1
        let four = mantissa &* 4
        let lower = Self.roundToOdd(factor, (four &- (isLowerCloser ? 1 : 2)) &<< shift) &+ odd
        let middle = Self.roundToOdd(factor, four &<< shift)
        let upper = Self.roundToOdd(factor, (four &+ 2) &<< shift) &- odd
        let digits = middle / 4
        // Yes and no are 1 and 0: what cannot be foreseen is computed, not branched on.
        let below: UInt32 = lower <= 4 &* digits ? 1 : 0
        let above: UInt32 = 4 &* digits &+ 4 <= upper ? 1 : 0
        let isOneInside = below ^ above
        let nearer: UInt32 = middle &+ digits & 1 > 4 &* digits &+ 2 ? 1 : 0
        let nearest = digits &+ (isOneInside & above | (isOneInside ^ 1) & nearer)
        // A multiple of ten has the shorter text: it is taken where one alone lies inside.
        let tenth = digits / 10
        let tenBelow: UInt32 = lower <= 40 &* tenth ? 1 : 0
        let tenAbove: UInt32 = 40 &* tenth &+ 40 <= upper ? 1 : 0
        let shorter = 10 &* (tenth &+ tenAbove)
        let isShorter = (tenBelow ^ tenAbove) & (digits >= 10 ? 1 : 0)
        return (nearest ^ (nearest ^ shorter) & (0 &- isShorter), power)
    }

    /// The product's bits from the 64th on, the lowest set where anything below is.
    @inline(__always)
    private static func roundToOdd(_ factor: UInt64, _ value: UInt32) -> UInt32 {
        let (high, low) = factor.multipliedFullWidth(by: UInt64(value))
        return UInt32(truncatingIfNeeded: high) | (low >> 32 > 1 ? 1 : 0)
    }

    /// Writes the decimal of `value`, in the form of `Float.description`, to memory with `room` bytes; gives how many it took.
    @inline(__always)
    func write(_ decimal: Decimal, of value: Float, to start: UnsafeMutablePointer<UInt8>) -> Int {
        start[0] = UInt8(ascii: "-")
        let sign = Int(truncatingIfNeeded: value.bitPattern >> 31)
        let target = UnsafeMutableRawPointer(start + sign)
        let first = decimal.digits / 100_000_000
        let rest = Self.bytes(ofDigits: decimal.digits &- first &* 100_000_000)
        let significant = 9 &- rest.leadingZeroBitCount >> 3
        let firstByte = UInt8(truncatingIfNeeded: first) | UInt8(ascii: "0")
        let restBytes = rest | Self.zeros
        let point = Int(decimal.point)
        if point < -3 || value.magnitude > 0x1p24 {
            return sign &+ putScientific(firstByte, restBytes, significant, point &- 1, target)
        }
        if point <= 0 {
            // Behind the point come at most three zeros.
            store(Self.zeros & ~0xFF00 | UInt64(UInt8(ascii: ".")) << 8, target)
            store(firstByte, target + (2 &- point))
            store(restBytes, target + (3 &- point))
            return sign &+ 2 &- point &+ significant
        }
        // At most eight digits come before the point.
        store(firstByte, target)
        store(restBytes, target + 1)
        store(UInt8(ascii: "."), target + point)
        store(restBytes &>> UInt64(truncatingIfNeeded: 8 &* (point &- 1)), target + (point &+ 1))
        return sign &+ max(significant, point &+ 1) &+ 1
    }

    /// `1.5e-07`: at least two digits of the exponent, a fraction only where there is one.
    private func putScientific(
        _ first: UInt8, _ rest: UInt64, _ significant: Int, _ exponent: Int, _ target: UnsafeMutableRawPointer
    ) -> Int {
        store(first, target)
        store(UInt8(ascii: "."), target + 1)
        store(rest, target + 2)
        let position = significant > 1 ? significant + 1 : 1
        let (ten, one) = abs(exponent).quotientAndRemainder(dividingBy: 10)
        store(UInt8(ascii: "e"), target + position)
        store(UInt8(ascii: exponent < 0 ? "-" : "+"), target + (position + 1))
        store(UInt8(ten) + UInt8(ascii: "0"), target + (position + 2))
        store(UInt8(one) + UInt8(ascii: "0"), target + (position + 3))
        return position + 4
    }

    @inline(__always)
    private func store<Integer: FixedWidthInteger>(_ value: Integer, _ target: UnsafeMutableRawPointer) {
        target.storeBytes(of: value.littleEndian, as: Integer.self)
    }

    private static let zeros: UInt64 = 0x3030_3030_3030_3030

    /// The eight digits of a number below 10^8, a byte each, the first in the lowest: fours, then pairs, then ones.
    @inline(__always)
    private static func bytes(ofDigits number: UInt32) -> UInt64 {
        let high = number / 10_000
        let fours = UInt64(high) | UInt64(number &- high &* 10_000) << 32
        // A hundredth of each four, a tenth of each pair: exact for so few digits.
        let hundreds = ((fours &* 5243) >> 19) & 0x0000_007F_0000_007F
        let pairs = hundreds | ((fours &- hundreds &* 100) << 16)
        let tens = ((pairs &* 103) >> 10) & 0x000F_000F_000F_000F
        return tens | ((pairs &- tens &* 10) << 8)
    }

    /// Those of a number below 2^29, and so below 10^9.
    @inline(__always)
    private func digitCount(_ number: UInt32) -> Int {
        // ⌊bits·log10 2⌋ is the count or one less.
        let fewer = ((32 &- number.leadingZeroBitCount) &* 1233) >> 12
        return max(1, UInt64(number) >= units[fewer] ? fewer &+ 1 : fewer)
    }
}
