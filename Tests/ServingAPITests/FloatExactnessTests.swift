import Glibc
import ServingAPI
import Tensors
import Testing

/// Reading and writing of float32 beside the C library's and the standard library's, on texts that are hard to round.
@Suite struct FloatExactnessTests {
    /// Of each kind; the generator is seeded, so that every run reads the same.
    private static let countOfEach = 20_000

    /// SplitMix64 (Steele, Lea, Flood 2014).
    private struct Generator: RandomNumberGenerator {
        var state: UInt64

        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var mixed = (state ^ (state >> 30)) &* 0xBF58_476D_1CE4_E5B9
            mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
            return mixed ^ (mixed >> 31)
        }

        /// Any but infinities and NaN.
        mutating func float() -> Float {
            while true {
                let value = Float(bitPattern: UInt32(truncatingIfNeeded: next()))
                if value.isFinite { return value }
            }
        }

        mutating func digits(_ count: Int) -> String {
            String(decoding: (0..<count).map { _ in UInt8(0x30 + next() % 10) }, as: UTF8.self)
        }
    }

    /// Exactly, with this many digits behind the first.
    private static func exact(_ value: Double, digitCount: Int) -> String {
        var buffer = [CChar](repeating: 0, count: 400)
        let count = withVaList([Int32(digitCount), value]) { vsnprintf(&buffer, buffer.count, "%.*e", $0) }
        return String(decoding: buffer.prefix(Int(count)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// Halfway between a float and the next one, exactly, and a hair beside it.
    private static func midpoints(_ generator: inout Generator) -> [String] {
        let low = generator.float().magnitude
        let middle = Double(low) + (Double(low.nextUp) - Double(low)) / 2
        guard low.nextUp.isFinite else { return [] }
        let text = exact(middle, digitCount: 110)
        let end = text.firstIndex(of: "e") ?? text.endIndex
        let (mantissa, exponent) = (text[..<end], text[end...])
        return [
            text, mantissa + "1" + exponent, mantissa.dropLast(1) + "1" + exponent,
            exact(middle.nextDown, digitCount: 60), exact(middle.nextUp, digitCount: 16), middle.description,
        ].map { String($0) }
    }

    private static let kinds: [(name: String, make: @Sendable (inout Generator) -> [String])] = [
        ("midpoints", { midpoints(&$0) }),
        ("shortest", { [$0.float().description, Double($0.float()).description] }),
        (
            "subnormals",
            { generator in
                let value = Float(bitPattern: UInt32(truncatingIfNeeded: generator.next() & 0x00FF_FFFF))
                return [
                    value.description, exact(Double(value), digitCount: 30),
                    exact(Double(value), digitCount: 8),
                ]
            }
        ),
        (
            "long digit strings",
            { generator in
                let whole = "1" + generator.digits(Int(generator.next() % 39))
                let part = generator.digits(1 + Int(generator.next() % 60))
                return [whole + "." + part, "0." + part, "-0." + whole + part, whole, "7." + part + "e-7"]
            }
        ),
        (
            "leading zeros",
            { generator in
                let zeros = String(repeating: "0", count: Int(generator.next() % 50))
                let digits = generator.digits(1 + Int(generator.next() % 20))
                return [
                    "0." + zeros + digits, "0.\(zeros)\(digits)e+0\(generator.next() % 30)", "-0.0" + zeros,
                ]
            }
        ),
        (
            "exponents",
            { generator in
                let exponent = Int(generator.next() % 120) - 80
                let digits = "3." + generator.digits(Int(generator.next() % 12) + 1)
                return ["\(digits)e\(exponent)", "\(digits)E\(exponent < 0 ? "-00" : "+00")\(abs(exponent))"]
            }
        ),
        (
            "edges",
            { generator in
                let bits = UInt32(truncatingIfNeeded: generator.next() % 64)
                let edges: [UInt32] = [0x0080_0000, 0x7F7F_FFC0, 0x0000_0001, 0x4B7F_FFE0, 0x3F80_0000]
                let value = Float(bitPattern: edges[Int(generator.next() % 5)] &+ bits)
                guard value.isFinite else { return ["3.4028235677973365e38", "3.4028234e38"] }
                return [exact(Double(value), digitCount: 50), exact(Double(value), digitCount: 7)]
            }
        ),
    ]

    @Test(arguments: kinds.indices) func `every text is read as strtof reads it`(_ index: Int) throws {
        var generator = Generator(state: UInt64(index))
        var texts: [String] = []
        while texts.count < Self.countOfEach { texts += Self.kinds[index].make(&generator) }
        // What strtof takes for infinite is refused, and tried by itself below.
        texts.removeAll { strtof($0, nil).isInfinite }
        let bytes = Array("[\(texts.joined(separator: ","))]".utf8)
        var reader = JSONReader(bytes, byteCount: bytes.count, limits: APILimits())
        let read = try TensorJSON.read(
            &reader, name: "x", elementType: .float32, shape: Shape([texts.count])
        ).elements(as: Float.self)
        for (value, text) in zip(read, texts) where value.bitPattern != strtof(text, nil).bitPattern {
            Issue.record("\(Self.kinds[index].name): \(text) is read as \(value)")
        }
    }

    @Test func `what strtof takes for infinite is out of range`() throws {
        var generator = Generator(state: 99)
        var texts = [
            "3.4028235677973367e38", "340282356779733661637539395458142568448", "1e39", "9e99999999999",
        ]
        texts += (0..<500).map { _ in "4.\(generator.digits(5))e\(38 + generator.next() % 400)" }
        for text in texts {
            #expect(strtof(text, nil).isInfinite, "\(text)")
            for text in [text, "-" + text] {
                // Long enough to be read as in the middle of a tensor.
                let bytes = Array("[\(text)\(String(repeating: " ", count: 60))]".utf8)
                var reader = JSONReader(bytes, byteCount: bytes.count, limits: APILimits())
                #expect(throws: RequestError.self, "\(text)") {
                    try TensorJSON.read(&reader, name: "x", elementType: .float32, shape: Shape([1]))
                }
            }
        }
    }

    @Test(arguments: [
        "01", "-01", "00.5", "1.", ".5", "1.e5", "-", "+1", "1..2", "1.2.3", "1e", "1e+", "0x1p3", "1_0",
        "1,",
        "12345678.", "1.12345678.", "١",
    ])
    func `what is no number is refused in the middle of a tensor too`(_ text: String) {
        let bytes = Array("[\(text)\(String(repeating: " ", count: 60))]".utf8)
        var reader = JSONReader(bytes, byteCount: bytes.count, limits: APILimits())
        #expect(throws: RequestError.self) {
            try TensorJSON.read(&reader, name: "x", elementType: .float32, shape: Shape([1]))
        }
    }

    @Test func `every float is written as the standard library describes it`() throws {
        var generator = Generator(state: 7)
        var values = (0..<100_000).map { _ in generator.float() }
        for exponent in 0..<255 {
            for fraction in [0, 1, 2, 0x40_0000, 0x7F_FFFE, 0x7F_FFFF] as [UInt32] {
                values.append(Float(bitPattern: UInt32(exponent) << 23 | fraction))
            }
        }
        for power in -45...38 {
            let value = Float("1e\(power)") ?? 0
            values += [value, -value, value.nextUp, value.nextDown, value * 5, value * 9.5]
        }
        values += (0..<20_000).map { _ in Float(generator.next() % 40_000_000) / 8 }
        values.removeAll { !$0.isFinite }
        values += [0, -0.0, .greatestFiniteMagnitude, .leastNonzeroMagnitude, 16_777_216, 16_777_218]
        var writer = JSONWriter()
        try TensorText.write(Tensor(values), name: "y", to: &writer)
        let texts = String(decoding: writer.bytes, as: UTF8.self).dropFirst().dropLast().split(separator: ",")
        #expect(texts.count == values.count)
        for (text, value) in zip(texts, values) where text != value.description {
            Issue.record("\(value.description) is written as \(text)")
        }
    }
}
