import Tensors

/// An element type that JSON can carry.
protocol ScannedElement: TensorElement {
    /// Passes one element. White space before it must be passed already.
    static func scan(_ scanner: inout NumberScanner) throws(ScanError) -> Self
}

private enum PowersOfTen {
    /// 10^0 … 10^22: those that a Double holds exactly.
    static let exact: [Double] = [
        1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17,
        1e18,
        1e19, 1e20, 1e21, 1e22,
    ]
}

extension NumberToken {
    /// The magnitude as the nearest Double, where one multiplication or division of exact operands gives it
    /// (Clinger 1990); `nil` elsewhere.
    @inline(__always)
    fileprivate var exactMagnitude: Double? {
        guard digitCount <= 19, mantissa <= 1 << 53, exponent >= -22, exponent <= 22 else { return nil }
        let value = Double(mantissa)
        return exponent < 0 ? value / PowersOfTen.exact[-exponent] : value * PowersOfTen.exact[exponent]
    }
}

extension Float: ScannedElement {
    @inline(__always)
    static func scan(_ scanner: inout NumberScanner) throws(ScanError) -> Float {
        let token = try scanner.number()
        if let magnitude = token.exactMagnitude, token.literal == nil {
            // Rounding twice is rounding once unless the Double is just halfway between two Floats, of which the
            // low 29 bits tell as long as the Float is normal.
            let isHalfway = magnitude.bitPattern & 0x1FFF_FFFF == 0x1000_0000
            let isNormal = magnitude >= 0x1p-126 && magnitude <= 0x1.fffffep127
            if magnitude == 0 || (isNormal && !isHalfway) {
                return Float(token.isNegative ? -magnitude : magnitude)
            }
        }
        return try slowScan(token, scanner)
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
        if let magnitude = token.exactMagnitude { return token.isNegative ? -magnitude : magnitude }
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
