import Tensors

/// An element type that JSON can carry.
protocol ScannedElement: TensorElement {
    /// Passes one element. White space before it must be passed already.
    static func scan(_ scanner: inout NumberScanner) throws(ScanError) -> Self

    /// Passes up to `count` elements in the form that most have, with a comma and at most one space between them: all that
    /// come before one in another form. Gives how many; the scanner stands behind the last of them.
    static func scanPlain(
        _ scanner: inout NumberScanner, into elements: UnsafeMutablePointer<Self>, count: Int
    ) -> Int
}

extension ScannedElement {
    static func scanPlain(
        _ scanner: inout NumberScanner, into elements: UnsafeMutablePointer<Self>, count: Int
    ) -> Int { 0 }
}

enum PowersOfTen {
    /// 10^0 … 10^8.
    static let integers: [UInt64] = [1, 10, 100, 1000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000]

    /// 10^-0 … 10^-23, each rounded to nearest.
    static let inverse: [Double] = [
        1e0, 1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8, 1e-9, 1e-10, 1e-11, 1e-12, 1e-13, 1e-14, 1e-15,
        1e-16, 1e-17, 1e-18, 1e-19, 1e-20, 1e-21, 1e-22, 1e-23,
    ]

    /// 10^0 … 10^60, each rounded to nearest; those up to 10^22 are exact.
    static let rounded: [Double] = [
        1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17,
        1e18,
        1e19, 1e20, 1e21, 1e22, 1e23, 1e24, 1e25, 1e26, 1e27, 1e28, 1e29, 1e30, 1e31, 1e32, 1e33, 1e34, 1e35,
        1e36, 1e37, 1e38, 1e39, 1e40, 1e41, 1e42, 1e43, 1e44, 1e45, 1e46, 1e47, 1e48, 1e49, 1e50, 1e51, 1e52,
        1e53, 1e54, 1e55, 1e56, 1e57, 1e58, 1e59, 1e60,
    ]
}

extension NumberToken {
    /// The magnitude as a Double at most three units of the last place off; `nil` where that takes longer.
    ///
    /// The mantissa, the power and their product or quotient are each rounded once.
    @inline(__always)
    fileprivate func nearMagnitude(_ powers: UnsafePointer<Double>) -> Double? {
        guard digitCount <= 19, exponent >= -60, exponent <= 60 else { return nil }
        let value = Double(mantissa)
        return exponent < 0
            ? value / powers[-exponent] : value * powers[exponent]
    }

    /// Whether `nearMagnitude` is the nearest Double: one operation of exact operands (Clinger 1990).
    @inline(__always)
    fileprivate var isExact: Bool { mantissa <= 1 << 53 && exponent >= -22 && exponent <= 22 }
}

extension Float: ScannedElement {
    /// How far, in units of the last place of a Double, a magnitude must be from halfway between two Floats to be
    /// rounded to the nearer one with certainty: more than it may be off.
    private static let halfwayMargin = 8

    static func scanPlain(
        _ scanner: inout NumberScanner, into elements: UnsafeMutablePointer<Float>, count: Int
    ) -> Int {
        var next = scanner
        var done = 0
        while done < count, let decimal = PlainDecimal(next) {
            let magnitude = Double(decimal.mantissa) * next.inversePowers[decimal.fractionCount]
            guard decimal.mantissa == 0 || isSafe(magnitude) else { break }
            let sign: UInt32 = decimal.isNegative ? 0x8000_0000 : 0
            elements[done] = Float(bitPattern: Float(magnitude).bitPattern | sign)
            done += 1
            next.position = decimal.end
            scanner.position = decimal.end
            guard next.current == UInt8(ascii: ",") else { break }
            next.position += 1
            if next.current == 0x20 { next.position += 1 }
        }
        return done
    }

    static func scan(_ scanner: inout NumberScanner) throws(ScanError) -> Float {
        let token = try scanner.number()
        if let magnitude = token.nearMagnitude(scanner.roundedPowers), token.literal == nil {
            if token.mantissa == 0 || isSafe(magnitude) {
                return Float(token.isNegative ? -magnitude : magnitude)
            }
        }
        return try slowScan(token, scanner)
    }

    /// Whether a magnitude that is a little off rounds to the right Float all the same.
    @inline(__always)
    private static func isSafe(_ magnitude: Double) -> Bool {
        // The low 29 bits of a Double tell where it lies between two normal Floats.
        let distance = Int(magnitude.bitPattern & 0x1FFF_FFFF) - 0x1000_0000
        return magnitude >= 0x1.0001p-126 && magnitude <= 0x1.fffffep127 && abs(distance) > halfwayMargin
    }

    @inline(never)
    private static func slowScan(_ token: NumberToken, _ scanner: NumberScanner) throws(ScanError) -> Float {
        if let literal = token.literal { return Float(literal) }
        guard let value = Float(scanner.text(of: token)), value.isFinite else { throw .outOfRange }
        return value
    }
}

extension Double: ScannedElement {
    @inline(__always)
    static func scan(_ scanner: inout NumberScanner) throws(ScanError) -> Double {
        let token = try scanner.number()
        if let literal = token.literal { return literal }
        if token.isExact, let magnitude = token.nearMagnitude(scanner.roundedPowers) {
            return token.isNegative ? -magnitude : magnitude
        }
        guard let value = Double(scanner.text(of: token)), value.isFinite else { throw .outOfRange }
        return value
    }
}

extension ScannedElement where Self: FixedWidthInteger {
    @inline(__always)
    static func scan(_ scanner: inout NumberScanner) throws(ScanError) -> Self {
        let token = try scanner.number()
        guard token.isInteger else { throw .notAnInteger }
        guard token.digitCount <= 19 else {
            // The greatest UInt64 has 20 digits.
            guard let value = Self(scanner.text(of: token)) else { throw .outOfRange }
            return value
        }
        if token.isNegative {
            guard token.mantissa <= UInt64(Int64.max) else {
                guard let value = Self(scanner.text(of: token)) else { throw .outOfRange }
                return value
            }
            guard let value = Self(exactly: -Int64(token.mantissa)) else { throw .outOfRange }
            return value
        }
        guard let value = Self(exactly: token.mantissa) else { throw .outOfRange }
        return value
    }
}

extension UInt8: ScannedElement {}
extension UInt16: ScannedElement {}
extension UInt32: ScannedElement {}
extension UInt64: ScannedElement {}
extension Int8: ScannedElement {}
extension Int16: ScannedElement {}
extension Int32: ScannedElement {}
extension Int64: ScannedElement {}

extension Bool: ScannedElement {
    /// `true`, `false`, 1 or 0.
    static func scan(_ scanner: inout NumberScanner) throws(ScanError) -> Bool {
        if scanner.skipWord("true") { return true }
        if scanner.skipWord("false") { return false }
        let value = try UInt8.scan(&scanner)
        guard value <= 1 else { throw .outOfRange }
        return value == 1
    }
}
