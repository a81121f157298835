import FuzzSupport

/// Changes numbers inside bytes whose places matter: nothing moves.
package struct BytePatch {
    private static let integers: [UInt64] = [
        0, 1, 2, 3, 4, 7, 8, 16, 64, 255, 1 << 16, (1 << 16) - 1, 1 << 31, (1 << 32) - 1, 1 << 32, 1 << 62,
        1 << 63, .max,
        .max - 1,
    ]
    private static let widths = [1, 1, 2, 4, 8]

    /// Changes a number of 1, 2, 4 or 8 bytes that begins in `range`.
    package static func apply(to bytes: inout [UInt8], in range: Range<Int>, _ random: inout Generator) {
        guard !range.isEmpty else { return }
        var place = random.pick(range.lowerBound...range.upperBound - 1)
        // Most bytes of most formats are zeros, which say little.
        for _ in 0..<4 where bytes[place] == 0 {
            place = random.pick(range.lowerBound...range.upperBound - 1)
        }
        let width = min(widths.randomElement(using: &random)!, bytes.count - place)
        let old = number(bytes, at: place, width)
        let new: UInt64
        switch random.pick(0...4) {
        case 0: new = old &+ 1
        case 1: new = old &- 1
        case 2: new = random.next()
        // An address or a length from elsewhere.
        case 3: new = number(bytes, at: random.pick(0...bytes.count - width), width)
        default: new = integers.randomElement(using: &random)!
        }
        for index in 0..<width {
            bytes[place + index] = UInt8(truncatingIfNeeded: new >> (8 * UInt64(index)))
        }
    }

    private static func number(_ bytes: [UInt8], at place: Int, _ width: Int) -> UInt64 {
        (0..<width).reduce(0) { $0 | UInt64(bytes[place + $1]) << (8 * UInt64($1)) }
    }
}
