/// Why a number cannot be taken.
enum ScanError: Error {
    case malformed
    case notAnInteger
    case outOfRange
    case tooLong
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
/// Made by `JSONReader.numbers` alone, which keeps `bytes` alive while a scanner exists; every access is guarded by a
/// comparison with their count.
struct NumberScanner {
    let bytes: UnsafeBufferPointer<UInt8>
    var position: Int
    private let maximumByteCount: Int

    init(_ bytes: UnsafeBufferPointer<UInt8>, position: Int, maximumByteCount: Int) {
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
            let word = UnsafeRawPointer(bytes.baseAddress! + position)
                .loadUnaligned(as: UInt64.self).littleEndian
            guard Self.areDigits(word) else { break }
            token.mantissa = token.mantissa &* 100_000_000 &+ Self.value(ofDigits: word)
            position += 8
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

    /// Whether all eight bytes are digits: the upper half of each is 3, and still is after adding 6.
    @inline(__always)
    private static func areDigits(_ word: UInt64) -> Bool {
        let upper: UInt64 = 0xF0F0_F0F0_F0F0_F0F0
        return (word & upper) | (((word &+ 0x0606_0606_0606_0606) & upper) >> 4) == 0x3333_3333_3333_3333
    }

    /// The number that eight digits form, the first in the lowest byte: pairs, then fours, then eight.
    @inline(__always)
    private static func value(ofDigits word: UInt64) -> UInt64 {
        let digits = word &- 0x3030_3030_3030_3030
        let pairs = digits &* 10 &+ (digits >> 8)
        let mask: UInt64 = 0x0000_00FF_0000_00FF
        let high = (pairs & mask) &* 0x000F_4240_0000_0064
        let low = ((pairs >> 16) & mask) &* 0x0000_2710_0000_0001
        return (high &+ low) >> 32
    }
}
