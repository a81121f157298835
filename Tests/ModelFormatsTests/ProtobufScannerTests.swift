import ModelFormats
import TestSupport
import Testing

@Suite struct ProtobufScannerTests {
    let folder = TemporaryFolder()

    static let valid = WireMessage.model([
        .initializer("w", dims: [2], floats: [1, 2]), .output("w", dims: [.number(1, 2)]),
    ])

    struct Damage: Sendable, CustomTestStringConvertible {
        let name: String
        let bytes: [UInt8]
        let reason: String
        var testDescription: String { name }

        /// Damage behind a model's first field, which takes two bytes.
        init(_ name: String, _ bytes: [UInt8], _ reason: String) {
            self.name = name
            self.bytes = [0x08, 0x08] + bytes
            self.reason = "not a readable ONNX model: " + reason
        }

        static let all: [Damage] = [
            Damage("field 0", [0x00, 0x00], "field number 0 is out of range at byte 2"),
            Damage("start of a group", [0x0b, 0x0c], "wire type 3 is not supported at byte 2"),
            Damage("end of a group", [0x0c], "wire type 4 is not supported at byte 2"),
            Damage("wire type 6", [0x0e], "wire type 6 is not supported at byte 2"),
            Damage("a tag that is cut", [0xff], "the message ends inside a number at byte 2"),
            Damage("a number that is cut", [0x10, 0x80], "the message ends inside a number at byte 3"),
            Damage(
                "a number of 65 bits", [0x10] + [UInt8](repeating: 0xff, count: 9) + [0x02],
                "a number is longer than 64 bits at byte 3"),
            Damage(
                "a number of eleven bytes", [0x10] + [UInt8](repeating: 0x80, count: 10) + [0x00],
                "a number is longer than 64 bits at byte 3"),
            Damage(
                "a tag over 32 bits", [0x80, 0x80, 0x80, 0x80, 0x10],
                "field number 536870912 is out of range at byte 2"),
            Damage(
                "a length past the end", [0x12, 0x02, 0x41],
                "a field of 2 bytes is longer than its message, which has 1 left at byte 2"),
            Damage(
                "a length of 2⁶⁴−1", [0x12] + [UInt8](repeating: 0xff, count: 9) + [0x01],
                "a field of 18446744073709551615 bytes is longer than its message, which has 0 left at byte 2"
            ),
            Damage(
                "a fixed32 that is cut", [0x15, 0, 0, 0],
                "a field of 4 bytes is longer than its message, which has 3 left at byte 2"),
            Damage(
                "a fixed64 that is cut", [0x11, 0, 0, 0, 0, 0, 0, 0],
                "a field of 8 bytes is longer than its message, which has 7 left at byte 2"),
            Damage(
                "a length past the end of the message but not of the file", [0x3a, 0x02, 0x12, 0x01, 0x41],
                "a field of 1 bytes is longer than its message, which has 0 left at byte 4"),
            Damage(
                "a name that is not UTF-8", [0x3a, 0x03, 0x12, 0x01, 0xff],
                "'graph name' is not UTF-8 at byte 6"),
            Damage(
                "packed dims that are cut", [0x3a, 0x05, 0x2a, 0x03, 0x0a, 0x01, 0x80],
                "the message ends inside a number at byte 8"),
            Damage(
                "float_data of three bytes", [0x3a, 0x07, 0x2a, 0x05, 0x22, 0x03, 0, 0, 0],
                "'float_data' has 3 bytes, expected a multiple of 4 at byte 6"),
        ]
    }

    @Test(arguments: Damage.all) func `says where a file is damaged`(_ damage: Damage) {
        #expect(folder.refusal(WireMessage(bytes: damage.bytes)) == damage.reason)
    }

    @Test func `skips unknown fields of every wire type`() throws {
        let unknown = WireMessage(
            .number(500, 1), .data(501, [0xff, 0xff]),
            WireMessage(bytes: WireMessage.varint(502 << 3 | 5) + [1, 2, 3, 4]),
            WireMessage(bytes: WireMessage.varint(503 << 3 | 1) + [1, 2, 3, 4, 5, 6, 7, 8]))
        let graph = try folder.load(
            WireMessage(
                unknown,
                .model([unknown, .initializer("w", dims: [2], floats: [1, 2]), .output("w"), unknown]),
                unknown))
        #expect(try graph.constants["w"]?.elements(as: Float.self) == [1, 2])
    }

    @Test func `skips a known field that has another wire type`() throws {
        let graph = try folder.load(
            WireMessage(.text(1, "no number"), Self.valid, .number(7, 3)))
        #expect(graph.constants.count == 1)
    }

    @Test func `does not take ranges from the file`() throws {
        // The field that the stripper uses for a range of raw_data: a file that holds it must not choose what is read.
        let forged = WireMessage.message(
            536_870_909, WireMessage(bytes: [0x09] + [UInt8](repeating: 0x7f, count: 8)))
        #expect(
            folder.refusal(.model(initializer: .number(1, 1), .number(2, 1), forged))
                == "tensor 'w': float32 tensor of shape [1] needs 4 bytes, got 0")
    }

    @Test func `reads numbers and lengths that are longer than they need be`() throws {
        let graph = try folder.load(
            WireMessage(
                WireMessage(bytes: [0x88, 0x80, 0x00, 0x88, 0x80, 0x80, 0x00]), .message(8, .number(2, 17)),
                .data(7, WireMessage(.initializer("w", dims: [1], floats: [4]), .output("w")).bytes)))
        #expect(graph.constants.count == 1)
    }

    @Test func `takes the last of two values and merges two messages, as protobuf does`() throws {
        let graph = try folder.load(
            WireMessage(
                .number(1, 99), Self.valid,
                .message(7, .text(2, "second name"), .initializer("v", dims: [1], floats: [4]))))
        #expect(graph.name == "second name")
        #expect(graph.constants.keys.sorted() == ["v", "w"])
    }

    @Test func `takes names up to the limit`() throws {
        let longest = String(repeating: "n", count: 4_096)
        #expect(
            try folder.load(.model([.initializer(longest, dims: [1], floats: [4]), .output(longest)]))
                .constants[longest] != nil)
        let refusal = folder.refusal(.model([.initializer(longest + "n", dims: [1], floats: [4])]))
        #expect(refusal?.contains("'tensor name' bytes: 4097 is over the limit of 4096 at byte") == true)
    }
}
