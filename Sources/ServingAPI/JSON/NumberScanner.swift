import ModelServing
import Tensors

/// Why a number cannot be taken.
enum ScanError: Error {
    case malformed
    case notAnInteger
    case outOfRange
    case tooLong

    /// What should stand there instead.
    func expected(_ type: ElementType) -> String {
        switch self {
        case .malformed: type == .bool ? "true or false" : "a number (\(type.datatype))"
        case .notAnInteger: "an integer (\(type.datatype))"
        case .outOfRange: "a number in the range of \(type.datatype)"
        case .tooLong: "a shorter number"
        }
    }
}

/// A number as it stands in the text: ±mantissa·10^exponent.
struct NumberToken {
    var isNegative = false
    /// Right as long as `digitCount` is at most 19: more digits do not fit 64 bits.
    var mantissa: UInt64 = 0
    /// Digits from the first that is not 0.
    var digitCount = 0
    var exponent = 0
    var isInteger = true
    /// NaN or an infinity instead of digits.
    var literal: Double?
    var start = 0
    var end = 0
}

/// Scans JSON numbers, eight digits a step.
///
/// Made by `JSONReader.numbers` alone, which keeps `bytes` and the tables alive while a scanner exists; every access to
/// `bytes` is guarded by a comparison with their count.
struct NumberScanner {
    let bytes: UnsafeBufferPointer<UInt8>
    var position: Int
    private let maximumByteCount: Int
    /// 10^0 … 10^8.
    let powers: UnsafePointer<UInt64>
    /// `PowersOfTen.rounded` and `PowersOfTen.inverse`.
    let roundedPowers: UnsafePointer<Double>
    let inversePowers: UnsafePointer<Double>

    init(
        _ bytes: UnsafeBufferPointer<UInt8>, position: Int, maximumByteCount: Int,
        powers: UnsafePointer<UInt64>,
        roundedPowers: UnsafePointer<Double>, inversePowers: UnsafePointer<Double>
    ) {
        self.powers = powers
        self.roundedPowers = roundedPowers
        self.inversePowers = inversePowers
        precondition(position >= 0 && position <= bytes.count, "position \(position)")
        self.bytes = bytes
        self.position = position
        self.maximumByteCount = maximumByteCount
    }

    @inline(__always)
    var current: UInt8? { position < bytes.count ? bytes[position] : nil }

    @inline(__always)
    mutating func skipSpace() {
        while let byte = current, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 {
            position += 1
        }
    }

    /// Passes `byte` and white space before it, when it comes next.
    @inline(__always)
    mutating func skip(_ byte: UInt8) -> Bool {
        skipSpace()
        guard current == byte else { return false }
        position += 1
        return true
    }

    /// Passes one number. White space before it must be passed already.
    @inline(__always)
    mutating func number() throws(ScanError) -> NumberToken {
        var token = NumberToken()
        token.start = position
        if current == UInt8(ascii: "-") {
            token.isNegative = true
            position += 1
        }
        guard let first = current, Self.isDigit(first) else { return try literal(token) }
        if first == UInt8(ascii: "0") {
            position += 1
            if let next = current, Self.isDigit(next) { throw .malformed }
        } else {
            digits(&token)
        }
        if current == UInt8(ascii: ".") {
            position += 1
            let fractionStart = position
            token.isInteger = false
            if token.digitCount == 0 {
                while current == UInt8(ascii: "0") { position += 1 }
            }
            digits(&token)
            guard position > fractionStart else { throw .malformed }
            token.exponent = fractionStart - position
        }
        if let byte = current, byte | 0x20 == UInt8(ascii: "e") { try exponent(&token) }
        token.end = position
        guard token.end - token.start <= maximumByteCount else { throw .tooLong }
        return token
    }

    /// Passes digits and adds them to the mantissa, which wraps after 19.
    @inline(__always)
    private mutating func digits(_ token: inout NumberToken) {
        let start = position
        while bytes.count - position >= 8 {
            let (value, count) = Self.leadingDigits(bytes.baseAddress! + position)
            token.mantissa = token.mantissa &* powers[Int(count)] &+ value
            position += Int(count)
            if count == 8 { continue }
            token.digitCount += position - start
            return
        }
        while let byte = current, Self.isDigit(byte) {
            token.mantissa = token.mantissa &* 10 &+ UInt64(byte & 0x0F)
            position += 1
        }
        token.digitCount += position - start
    }

    private mutating func exponent(_ token: inout NumberToken) throws(ScanError) {
        token.isInteger = false
        position += 1
        var isNegative = false
        if let sign = current, sign == UInt8(ascii: "-") || sign == UInt8(ascii: "+") {
            isNegative = sign == UInt8(ascii: "-")
            position += 1
        }
        guard let first = current, Self.isDigit(first) else { throw .malformed }
        var value = 0
        while let byte = current, Self.isDigit(byte) {
            // Past a million every number is 0 or out of range; the slow path decides which.
            if value < 1_000_000 { value = value * 10 + Int(byte & 0x0F) }
            position += 1
        }
        token.exponent += isNegative ? -value : value
    }

    private mutating func literal(_ token: NumberToken) throws(ScanError) -> NumberToken {
        var token = token
        if !token.isNegative, skipWord("NaN") {
            token.literal = .nan
        } else if skipWord("Infinity") {
            token.literal = token.isNegative ? -.infinity : .infinity
        } else {
            throw .malformed
        }
        token.isInteger = false
        token.end = position
        return token
    }

    mutating func skipWord(_ text: StaticString) -> Bool {
        let count = text.utf8CodeUnitCount
        guard bytes.count - position >= count else { return false }
        for index in 0..<count where bytes[position + index] != text.utf8Start[index] { return false }
        position += count
        return true
    }

    /// The number's characters.
    func text(of token: NumberToken) -> String {
        String(decoding: UnsafeBufferPointer(rebasing: bytes[token.start..<token.end]), as: UTF8.self)
    }

    @inline(__always)
    private static func isDigit(_ byte: UInt8) -> Bool { byte &- 0x30 < 10 }

    private static let zeros: UInt64 = 0x3030_3030_3030_3030

    /// How many of eight bytes are digits before one is none, and the number that they form; of at most `mask` of them,
    /// 8 or 0.
    @inline(__always)
    static func leadingDigits(_ text: UnsafePointer<UInt8>, mask: UInt = 8) -> (value: UInt64, count: UInt) {
        let word = UnsafeRawPointer(text).loadUnaligned(as: UInt64.self).littleEndian
        let found = UInt(truncatingIfNeeded: nonDigits(word).trailingZeroBitCount) >> 3
        let count = mask == 8 ? found : 0
        // The digits, behind as many zeros as are missing: 0 to 64 bits, in two steps, for 64 at once would be none.
        let half = UInt64(truncatingIfNeeded: 32 &- 4 &* count)
        return (value(ofDigits: ((word &- zeros) &<< half) &<< half), count)
    }

    /// The highest bit of each byte that is no digit: one that differs from 0x30 by more than 9.
    @inline(__always)
    private static func nonDigits(_ word: UInt64) -> UInt64 {
        let difference = word ^ zeros
        return (((difference & 0x7F7F_7F7F_7F7F_7F7F) &+ 0x7676_7676_7676_7676) | difference)
            & 0x8080_8080_8080_8080
    }

    /// The number that eight digits form, the first in the lowest byte: pairs, then fours, then eight.
    @inline(__always)
    private static func value(ofDigits digits: UInt64) -> UInt64 {
        let pairs = digits &* 10 &+ (digits >> 8)
        let mask: UInt64 = 0x0000_00FF_0000_00FF
        let high = (pairs & mask) &* 0x000F_4240_0000_0064
        let low = ((pairs >> 16) & mask) &* 0x0000_2710_0000_0001
        return (high &+ low) >> 32
    }
}
