/// Reads JSON (RFC 8259) from bytes, value by value, without building a tree.
///
/// Beyond the standard it takes the literals NaN, Infinity and -Infinity: Python clients send them.
package struct JSONReader {
    let bytes: [UInt8]
    /// One past the last byte that belongs to the document.
    let end: Int
    let limits: APILimits
    var position = 0
    private var depth = 0

    /// Reads the first `byteCount` of `bytes`.
    package init(_ bytes: [UInt8], byteCount: Int, limits: APILimits) {
        precondition(byteCount >= 0 && byteCount <= bytes.count, "\(byteCount) of \(bytes.count) bytes")
        self.bytes = bytes
        end = byteCount
        self.limits = limits
    }

    /// The next byte that is no white space, which is not passed; `nil` at the end.
    mutating func peek() -> UInt8? {
        while position < end {
            let byte = bytes[position]
            guard byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 else { return byte }
            position += 1
        }
        return nil
    }

    /// What is no JSON.
    func error(_ reason: String) -> RequestError { .json(reason: reason, byteOffset: position) }

    /// What stands here is not what should.
    func mismatch(expected: String) -> RequestError {
        .mismatch(
            path: JSONPlace.path(of: position, in: bytes), expected: expected,
            actual: valueText)
    }

    /// What stands here, for errors.
    var valueText: String {
        bytes.withUnsafeBufferPointer {
            JSONPlace.value(at: position, in: UnsafeBufferPointer(rebasing: $0[..<end]))
        }
    }

    private mutating func expect(_ character: Unicode.Scalar, _ name: String) throws(RequestError) {
        guard peek() == UInt8(ascii: character) else { throw mismatch(expected: name) }
        position += 1
    }

    mutating func expectQuote() throws(RequestError) { try expect("\"", "a string") }

    mutating func skip(_ character: Unicode.Scalar) -> Bool {
        guard peek() == UInt8(ascii: character) else { return false }
        position += 1
        return true
    }

    /// Throws unless nothing but white space is left.
    package mutating func finish() throws(RequestError) {
        guard peek() == nil else { throw mismatch(expected: "the end") }
    }

    /// Calls `member` at each value of an object with its key; `member` must pass the value.
    mutating func object(
        _ member: (inout JSONReader, String) throws(RequestError) -> Void
    ) throws(RequestError) {
        try enter("{", "an object")
        if !skip("}") {
            repeat {
                guard peek() == UInt8(ascii: "\"") else { throw mismatch(expected: "a key") }
                let key = try string()
                try expect(":", "':'")
                try member(&self, key)
            } while skip(",")
            try expect("}", "',' or '}'")
        }
        depth -= 1
    }

    /// Calls `element` at each value of a list; `element` must pass the value.
    mutating func array(_ element: (inout JSONReader) throws(RequestError) -> Void) throws(RequestError) {
        try enter("[", "a list")
        if !skip("]") {
            repeat { try element(&self) } while skip(",")
            try expect("]", "',' or ']'")
        }
        depth -= 1
    }

    private mutating func enter(_ opening: Unicode.Scalar, _ name: String) throws(RequestError) {
        try expect(opening, name)
        depth += 1
        guard depth <= limits.maximumDepth else {
            throw error("more than \(limits.maximumDepth) levels")
        }
    }

    /// Whether the value is `null`, which is then passed.
    mutating func skipNull() throws(RequestError) -> Bool {
        guard peek() == UInt8(ascii: "n") else { return false }
        try literal("null")
        return true
    }

    mutating func boolean() throws(RequestError) -> Bool {
        switch peek() {
        case UInt8(ascii: "t"):
            try literal("true")
            return true
        case UInt8(ascii: "f"):
            try literal("false")
            return false
        default: throw mismatch(expected: "true or false")
        }
    }

    /// A number without fraction and exponent.
    mutating func integer() throws(RequestError) -> Int {
        _ = peek()
        let reader = self
        do {
            return try numbers { (scanner) throws(ScanError) in Int(try Int64.scan(&scanner)) }
        } catch {
            throw reader.mismatch(expected: "an integer")
        }
    }

    /// Passes a value of any kind. Throws where it is no JSON.
    package mutating func skipValue() throws(RequestError) {
        switch peek() {
        case UInt8(ascii: "{"):
            try object { (reader, _) throws(RequestError) in try reader.skipValue() }
        case UInt8(ascii: "["):
            try array { (reader) throws(RequestError) in try reader.skipValue() }
        case UInt8(ascii: "\""): try skipString()
        case UInt8(ascii: "t"): try literal("true")
        case UInt8(ascii: "f"): try literal("false")
        case UInt8(ascii: "n"): try literal("null")
        default:
            let reader = self
            do {
                try numbers { (scanner) throws(ScanError) in _ = try scanner.number() }
            } catch {
                throw reader.mismatch(expected: "a value")
            }
        }
    }

    private mutating func literal(_ text: StaticString) throws(RequestError) {
        let count = text.utf8CodeUnitCount
        guard end - position >= count,
            (0..<count).allSatisfy({ bytes[position + $0] == text.utf8Start[$0] })
        else { throw mismatch(expected: "\(text)") }
        position += count
    }

    /// Runs `body` with a scanner at the present position and goes on where it stopped.
    mutating func numbers<Result, Failure: Error>(
        _ body: (inout NumberScanner) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        let (start, end, limit) = (position, end, limits.maximumNumberByteCount)
        var stop = position
        defer { position = stop }
        return try bytes.withUnsafeBufferPointer { (buffer) throws(Failure) in
            try PowersOfTen.integers.withUnsafeBufferPointer { (powers) throws(Failure) in
                try PowersOfTen.rounded.withUnsafeBufferPointer { (rounded) throws(Failure) in
                    try PowersOfTen.inverse.withUnsafeBufferPointer { (inverse) throws(Failure) in
                        // The tables are not empty, so they have addresses.
                        var scanner = NumberScanner(
                            UnsafeBufferPointer(rebasing: buffer[..<end]), position: start,
                            maximumByteCount: limit, powers: powers.baseAddress!,
                            roundedPowers: rounded.baseAddress!, inversePowers: inverse.baseAddress!)
                        defer { stop = scanner.position }
                        return try body(&scanner)
                    }
                }
            }
        }
    }
}
