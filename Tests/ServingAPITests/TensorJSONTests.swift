import ServingAPI
import Tensors
import Testing

@Suite struct TensorJSONTests {
    private func read(_ text: String, _ type: ElementType, _ dimensions: [Int]) throws -> Tensor {
        let bytes = Array(text.utf8)
        var reader = JSONReader(bytes, byteCount: bytes.count, limits: APILimits())
        let tensor = try TensorJSON.read(&reader, name: "x", elementType: type, shape: Shape(dimensions))
        try reader.finish()
        return tensor
    }

    private func write(_ tensor: Tensor) throws -> String {
        var writer = JSONWriter()
        try TensorText.write(tensor, name: "y", to: &writer)
        return String(decoding: writer.bytes, as: UTF8.self)
    }

    @Test func `random floats come back bit for bit`() throws {
        var generator = SystemRandomNumberGenerator()
        let floats = (0..<20_000).map { _ in Float(bitPattern: generator.next()) }.filter(\.isFinite)
        let singles = try read(write(Tensor(floats)), .float32, [floats.count])
        #expect(try singles.elements(as: Float.self).map(\.bitPattern) == floats.map(\.bitPattern))
        // As Python writes a float32: as the Double of the same value.
        let widened = "[" + floats.map { Double($0).description }.joined(separator: ",") + "]"
        let narrowed = try read(widened, .float32, [floats.count]).elements(as: Float.self)
        #expect(narrowed.map(\.bitPattern) == floats.map(\.bitPattern))
        let doubles = (0..<20_000).map { _ in Double(bitPattern: generator.next()) }.filter(\.isFinite)
        let wide = try read(write(Tensor(doubles)), .float64, [doubles.count])
        #expect(try wide.elements(as: Double.self).map(\.bitPattern) == doubles.map(\.bitPattern))
    }

    @Test func `decimals of any length round as the library does`() throws {
        var generator = SystemRandomNumberGenerator()
        var texts = (0..<20_000).map { _ in
            let digits = (0..<Int.random(in: 1...25, using: &generator)).map { _ in
                String(Int.random(in: 0...9, using: &generator))
            }
            return
                "-\(Int.random(in: 0...9, using: &generator)).\(digits.joined())e\(Int.random(in: -50...36))"
        }
        // Halfway between two floats, a hair above and below; the least normal, subnormals; the greatest.
        texts += [
            "16777217", "16777217.0000001", "16777216.9999999", "33554434", "33554438", "8388609.5",
            "1.00000005960464477539062500000", "1.0000000596046447753906251", "1.0000000596046447753906249",
            "1.17549435e-38", "1.1754942e-38", "1.4e-45", "7e-46", "7.1e-46", "1e-46",
            "3.4028234663852886e38",
            "3.4028235677973365e38", "340282346638528859811704183484516925440", "0", "-0", "-0.0", "0e99",
            "0.0e-999",
            "123456789012345678901234567890", "0.000000000000000000000000000000000000011754943508222875",
        ]
        for text in texts {
            let value = try read("[\(text)]", .float32, [1]).elements(as: Float.self)[0]
            #expect(value.bitPattern == Float(text)!.bitPattern, "\(text)")
            let wide = try read("[\(text)]", .float64, [1]).elements(as: Double.self)[0]
            #expect(wide.bitPattern == Double(text)!.bitPattern, "\(text)")
        }
    }

    @Test func `the first float that rounds to infinity is refused, the last that does not is taken`() throws
    {
        #expect(
            try read("[3.4028235677973365e38]", .float32, [1]).elements(as: Float.self)
                == [.greatestFiniteMagnitude])
        #expect(throws: RequestError.self) { try read("[3.4028235677973367e38]", .float32, [1]) }
    }

    private static let integerLimits: [(ElementType, String, String, String, String)] = [
        (.uint8, "0", "255", "-1", "256"), (.uint16, "0", "65535", "-1", "65536"),
        (.uint32, "0", "4294967295", "-1", "4294967296"),
        (.uint64, "0", "18446744073709551615", "-1", "18446744073709551616"),
        (.int8, "-128", "127", "-129", "128"), (.int16, "-32768", "32767", "-32769", "32768"),
        (.int32, "-2147483648", "2147483647", "-2147483649", "2147483648"),
        (
            .int64, "-9223372036854775808", "9223372036854775807", "-9223372036854775809",
            "9223372036854775808"
        ),
    ]

    @Test(arguments: integerLimits)
    func `integers are taken at their limits and refused past them`(
        _ type: ElementType, _ low: String, _ high: String, _ below: String, _ above: String
    ) throws {
        #expect(try write(read("[\(low),\(high)]", type, [2])) == "[\(low),\(high)]")
        for text in [below, above, "99999999999999999999999", "1.0", "1e1", "NaN", "true"] {
            #expect(throws: RequestError.self, "\(text)") { try read("[\(text)]", type, [1]) }
        }
    }

    @Test func `booleans are words or 0 and 1`() throws {
        #expect(try write(read("[true,false,1,0]", .bool, [4])) == "[true,false,true,false]")
        for text in ["2", "-1", "tru", "True", "1.0", "\"true\"", "null"] {
            #expect(throws: RequestError.self, "\(text)") { try read("[\(text)]", .bool, [1]) }
        }
    }

    @Test(arguments: [
        ("[[1,2],[3,4]]", [2, 2]), ("[1,2,3,4]", [2, 2]), ("[[[1],[2]],[[3],[4]]]", [2, 2, 1]),
        ("[1,2,3,4]", [4]),
        (" [ [ 1 , 2 ] , [ 3 , 4 ] ] ", [2, 2]),
    ])
    func `nesting follows the shape or is absent`(_ text: String, _ dimensions: [Int]) throws {
        #expect(try read(text, .float32, dimensions).elements(as: Float.self) == [1, 2, 3, 4])
    }

    @Test func `scalars and empty tensors`() throws {
        #expect(try read("5", .float32, []).elements(as: Float.self) == [5])
        #expect(try read("[5]", .float32, []).elements(as: Float.self) == [5])
        for (text, dimensions) in [("[]", [0]), ("[]", [2, 0]), ("[[],[]]", [2, 0]), ("[]", [0, 2])] {
            #expect(try read(text, .float32, dimensions).shape.count == 0)
        }
    }

    @Test(arguments: [
        ("[[1,2],[3]]", [2, 2]), ("[[1,2],[3,4],[5,6]]", [2, 2]), ("[[1,2]]", [2, 2]),
        ("[[1,2],3,4]", [2, 2]),
        ("[1,[2],3,4]", [2, 2]), ("[[1,2,3,4]]", [4]), ("[[[1,2],[3,4]]]", [2, 2]), ("[[1,2][3,4]]", [2, 2]),
        ("[[1,2],[3,4]", [2, 2]), ("[[]]", [0]), ("[[],[],[]]", [2, 0]), ("[1]", [0]), ("", []), ("[]", []),
        ("[1,2]", [1_000_000_000_000]),
    ])
    func `nesting that does not fit is refused`(_ text: String, _ dimensions: [Int]) {
        #expect(throws: RequestError.self) { try read(text, .float32, dimensions) }
    }

    @Test func `the longest number is taken and one digit more refused`() throws {
        let longest = "0." + String(repeating: "3", count: APILimits().maximumNumberByteCount - 2)
        #expect(try read("[\(longest)]", .float32, [1]).elements(as: Float.self) == [1 / 3])
        #expect(throws: RequestError.self) { try read("[\(longest)3]", .float32, [1]) }
    }

    @Test func `depth is taken at the limit and refused past it`() throws {
        let limits = APILimits()
        for (depth, passes) in [(limits.maximumDepth, true), (limits.maximumDepth + 1, false)] {
            let bytes = Array(
                (String(repeating: "[", count: depth) + String(repeating: "]", count: depth)).utf8)
            var reader = JSONReader(bytes, byteCount: bytes.count, limits: limits)
            #expect(((try? reader.skipValue()) != nil) == passes)
        }
    }
}
