/// Where a byte of a JSON text stands, for errors: found by a second look at the text before it, which was read without
/// one.
enum JSONPlace {
    private enum Level {
        /// A key's bytes, without quotes; empty before the first.
        case object(key: Range<Int>, isKeyNext: Bool)
        case array(index: Int)
    }

    /// Bytes of a key, and levels, that a path shows.
    private static let (maximumKeyByteCount, maximumLevelCount) = (40, 20)
    /// Bytes of a value that an error repeats.
    private static let maximumQuotedByteCount = 24

    /// `inputs[0].data[3]`; "the body" for its outermost value. The bytes before `offset` begin a JSON text. The path of the
    /// list or object around is had by `isAround`.
    static func path(of offset: Int, in bytes: [UInt8], isAround: Bool = false) -> String {
        var levels: [Level] = []
        var position = 0
        while position < offset {
            switch bytes[position] {
            case UInt8(ascii: "{"): levels.append(.object(key: 0..<0, isKeyNext: true))
            case UInt8(ascii: "["): levels.append(.array(index: 0))
            case UInt8(ascii: "}"), UInt8(ascii: "]"): _ = levels.popLast()
            case UInt8(ascii: ","):
                switch levels.popLast() {
                case .object?: levels.append(.object(key: 0..<0, isKeyNext: true))
                case .array(let index)?: levels.append(.array(index: index + 1))
                case nil: break
                }
            case UInt8(ascii: "\""):
                let start = position + 1
                position = start
                while position < offset, bytes[position] != UInt8(ascii: "\"") {
                    position += bytes[position] == UInt8(ascii: "\\") ? 2 : 1
                }
                if position < offset, case .object(_, true)? = levels.last {
                    levels[levels.count - 1] = .object(key: start..<position, isKeyNext: false)
                }
            default: break
            }
            position += 1
        }
        if isAround { _ = levels.popLast() }
        return text(levels, bytes)
    }

    /// What stands there: its kind, or a number or a word itself.
    static func value(at offset: Int, in bytes: UnsafeBufferPointer<UInt8>) -> String {
        guard offset < bytes.count else { return "the end" }
        switch bytes[offset] {
        case UInt8(ascii: "["): return "a list"
        case UInt8(ascii: "{"): return "an object"
        case UInt8(ascii: "\""): return "a string"
        case UInt8(ascii: "]"), UInt8(ascii: "}"): return "nothing"
        default:
            let rest = bytes[offset...].prefix(maximumQuotedByteCount)
            let word = rest.prefix { byte in
                !(byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09)
                    && !",]}:".utf8.contains(byte)
            }
            return String(decoding: word.isEmpty ? rest.prefix(1) : word, as: UTF8.self)
        }
    }

    private static func text(_ levels: [Level], _ bytes: [UInt8]) -> String {
        var text = ""
        for level in levels.prefix(maximumLevelCount) {
            switch level {
            case .array(let index): text += "[\(index)]"
            case .object(let key, _):
                guard !key.isEmpty else { continue }
                if !text.isEmpty { text += "." }
                text += String(decoding: bytes[key].prefix(maximumKeyByteCount), as: UTF8.self)
                if key.count > maximumKeyByteCount { text += "…" }
            }
        }
        if levels.count > maximumLevelCount { text += "…" }
        return text.isEmpty ? "the body" : text
    }
}
