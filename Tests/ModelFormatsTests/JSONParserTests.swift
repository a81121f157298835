import Testing

import ModelFormats

@Suite struct JSONParserTests {
    @Test func `reads values of every kind`() throws {
        let value = try parse(
            #" {"a": [1, -2.5, 1e3, NaN, -Infinity, 9223372036854775808], "b": null, "c": [true, false], "": {}} "#
        )
        let numbers = try #require(value["a"]?.array)
        #expect(numbers[..<3] == [.integer(1), .real(-2.5), .real(1000)])
        #expect(numbers[3].real?.isNaN == true)
        #expect(numbers[4...] == [.real(-.infinity), .real(9_223_372_036_854_775_808)])
        #expect(value["b"] == nil)
        #expect(value["c"] == .array([.boolean(true), .boolean(false)]))
        #expect(value[""] == .object([:]))
    }

    @Test func `reads escapes`() throws {
        #expect(try parse(#""\u00e9\n\ud83d\ude00\"\\""#) == .string("é\n😀\"\\"))
    }

    @Test(arguments: [
        "", "{", "[1,]", "{\"a\" 1}", "[1 2]", "tru", "\"a", "\"\\x\"", "\"\\ud800\"", "\"\u{01}\"", "1 2",
        "--1", "1.2.3",
        "{\"a\": 1, \"a\": 2}", "-", "{1: 2}",
    ]) func `refuses what is no JSON`(_ text: String) {
        #expect(throws: JSONParser.Failure.self) { try parse(text) }
    }

    @Test func `refuses one level too many, and not the last that may be`() throws {
        let depth = JSONParser.maximumDepth
        _ = try parse(String(repeating: "[", count: depth) + String(repeating: "]", count: depth))
        #expect(throws: JSONParser.Failure.self) {
            try parse(String(repeating: "[", count: depth + 1) + String(repeating: "]", count: depth + 1))
        }
    }

    @Test func `refuses a number and a string that are too long`() throws {
        _ = try parse(String(repeating: "1", count: JSONParser.maximumNumberByteCount))
        #expect(throws: JSONParser.Failure.self) {
            try parse(String(repeating: "1", count: JSONParser.maximumNumberByteCount + 1))
        }
        let text = String(repeating: "a", count: JSONParser.maximumStringByteCount)
        _ = try parse("\"\(text)\"")
        #expect(throws: JSONParser.Failure.self) { try parse("\"\(text)a\"") }
    }

    @Test func `refuses bytes that are not UTF-8`() {
        #expect(throws: JSONParser.Failure.self) { try JSONParser.parse([0x22, 0xFF, 0x22]) }
    }

    private func parse(_ text: String) throws(JSONParser.Failure) -> JSON {
        try JSONParser.parse(Array(text.utf8))
    }
}
