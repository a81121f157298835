import ModelFormats
import Tensors
import TestSupport
import Testing

@Suite struct ONNXTensorReaderTests {
    struct Encoding: Sendable, CustomTestStringConvertible {
        let name: String
        let number: Int64
        let type: ElementType
        /// The field with the elements, two of them.
        let field: WireMessage
        let expected: [UInt8]
        var testDescription: String { name }

        init<Element>(
            _ name: String, _ number: Int64, _ type: ElementType, _ field: WireMessage, _ expected: [Element]
        ) {
            self.name = name
            self.number = number
            self.type = type
            self.field = field
            self.expected = WireMessage.memory(of: expected)
        }

        static let all: [Encoding] = [
            Encoding(
                "raw float32", 1, .float32, .data(9, WireMessage.memory(of: [Float(1.5), -2])),
                [Float(1.5), -2]),
            Encoding(
                "raw float64", 11, .float64, .data(9, WireMessage.memory(of: [1.5, -2])), [1.5, -2]),
            Encoding("raw uint8", 2, .uint8, .data(9, [1, 255]), [UInt8(1), 255]),
            Encoding("raw int8", 3, .int8, .data(9, [1, 255]), [Int8(1), -1]),
            Encoding("raw bool", 9, .bool, .data(9, [1, 0]), [true, false]),
            Encoding(
                "raw bfloat16", 16, .bfloat16, .data(9, [0x80, 0x3f, 0, 0x40]), [UInt16(0x3f80), 0x4000]),
            Encoding(
                "raw uint32", 12, .uint32, .data(9, WireMessage.memory(of: [UInt32(7), .max])),
                [UInt32(7), .max]),
            Encoding(
                "float_data", 1, .float32, .data(4, WireMessage.memory(of: [Float(1.5), -2])),
                [Float(1.5), -2]),
            Encoding(
                "float_data, unpacked", 1, .float32,
                WireMessage(bytes: [0x25, 0, 0, 0xc0, 0x3f, 0x25, 0, 0, 0, 0xc0]), [Float(1.5), -2]),
            Encoding("double_data", 11, .float64, .data(10, WireMessage.memory(of: [1.5, -2])), [1.5, -2]),
            Encoding("int32_data", 6, .int32, .packed(5, [7, -7]), [Int32(7), -7]),
            Encoding(
                "int32_data, unpacked", 6, .int32, WireMessage(.number(5, 7), .number(5, -7)), [Int32(7), -7]),
            Encoding("int32_data as int16", 5, .int16, .packed(5, [7, -7]), [Int16(7), -7]),
            Encoding("int32_data as uint16", 4, .uint16, .packed(5, [7, 65_535]), [UInt16(7), 65_535]),
            Encoding("int32_data as int8", 3, .int8, .packed(5, [7, -128]), [Int8(7), -128]),
            Encoding("int32_data as uint8", 2, .uint8, .packed(5, [7, 255]), [UInt8(7), 255]),
            Encoding("int32_data as bool", 9, .bool, .packed(5, [1, 0]), [true, false]),
            Encoding(
                "int32_data as float16", 10, .float16, .packed(5, [0x3c00, 0xc000]), [Float16(1), -2]),
            Encoding(
                "int32_data as bfloat16", 16, .bfloat16, .packed(5, [0x3f80, 0xc000]),
                [UInt16(0x3f80), 0xc000]),
            Encoding("int64_data", 7, .int64, .packed(7, [.max, .min]), [Int64.max, .min]),
            Encoding("uint64_data", 13, .uint64, .packed(11, [7, -1]), [UInt64(7), .max]),
            Encoding(
                "uint64_data as uint32", 12, .uint32, .packed(11, [7, 0xffff_ffff]), [UInt32(7), .max]),
        ]
    }

    let folder = TemporaryFolder()

    @Test(arguments: Encoding.all) func `reads every encoding`(_ encoding: Encoding) throws {
        let graph = try folder.load(
            .model([
                .message(5, .number(1, 2), .number(2, encoding.number), encoding.field, .text(8, "w")),
                .output("w", type: encoding.number),
            ]))
        let tensor = try #require(graph.constants["w"])
        #expect(tensor.elementType == encoding.type)
        #expect(tensor.shape.dimensions == [2])
        #expect(tensor.withUnsafeBytes { Array($0) } == encoding.expected)
    }

    @Test func `reads an empty tensor that has no elements anywhere`() throws {
        let graph = try folder.load(.model(initializer: .number(1, 0), .number(2, 1)))
        #expect(graph.constants["w"]?.shape.dimensions == [0])
    }

    @Test func `joins packed elements that come in several pieces`() throws {
        let graph = try folder.load(
            .model(
                initializer: .packed(1, [3]), .number(2, 1), .data(4, WireMessage.memory(of: [Float(1), 2])),
                .data(4, WireMessage.memory(of: [Float(3)]))))
        #expect(try graph.constants["w"]?.elements(as: Float.self) == [1, 2, 3])
    }

    struct Malformation: Sendable, CustomTestStringConvertible {
        let reason: String
        let fields: WireMessage
        var testDescription: String { reason }

        init(_ reason: String, _ fields: WireMessage...) {
            self.reason = reason
            self.fields = WireMessage(bytes: fields.flatMap(\.bytes))
        }

        static let all: [Malformation] = [
            Malformation(
                "float32 tensor of shape [2] needs 8 bytes, got 7", .number(1, 2), .number(2, 1),
                .data(9, [0, 0, 0, 0, 0, 0, 0])),
            Malformation(
                "float32 tensor of shape [2] needs 8 bytes, got 9", .number(1, 2), .number(2, 1),
                .data(9, [0, 0, 0, 0, 0, 0, 0, 0, 0])),
            Malformation(
                "float32 tensor of shape [2] needs 8 bytes, got 0", .number(1, 2), .number(2, 1)),
            Malformation(
                "shape [2] has 2 elements, got 3", .number(1, 2), .number(2, 7), .packed(7, [1, 2, 3])),
            Malformation("shape [2] has 2 elements, got 1", .number(1, 2), .number(2, 9), .packed(5, [1])),
            // Tebibytes: a reader that takes memory before it compares would not come back.
            Malformation(
                "float32 tensor of shape [1099511627776] needs 4398046511104 bytes, got 4",
                .number(1, 1 << 40), .number(2, 1), .data(9, [0, 0, 0, 0])),
            Malformation(
                "shape [1099511627776] has 1099511627776 elements, got 1", .number(1, 1 << 40), .number(2, 7),
                .packed(7, [1])),
            Malformation("shape [2, -1] has a negative dimension", .packed(1, [2, -1]), .number(2, 1)),
            Malformation(
                "shape [4294967296, 4294967296] has more elements than can be addressed",
                .packed(1, [1 << 32, 1 << 32]), .number(2, 1)),
            Malformation(
                "has 65 dimensions, over the limit of 64", .packed(1, [Int64](repeating: 1, count: 65)),
                .number(2, 1), .data(9, [0, 0, 0, 0])),
            Malformation("element type number 0 is not supported", .number(1, 0)),
            Malformation("element type number 99 is not supported", .number(1, 0), .number(2, 99)),
            Malformation("element type string is not supported", .number(2, 8), .text(6, "a")),
            Malformation("element type complex64 is not supported", .number(2, 14)),
            Malformation("element type float8e4m3fn is not supported", .number(2, 17), .data(9, [0])),
            Malformation("element type int4 is not supported", .number(2, 22), .data(9, [0])),
            Malformation(
                "is stored in segments, which is not supported", .number(2, 1), .message(3, .number(1, 0))),
            Malformation("data_location is 2, expected 0 or 1", .number(2, 1), .number(14, 2)),
            Malformation(
                "has elements in raw_data and in float_data", .number(2, 1), .data(9, [0, 0, 0, 0]),
                .data(4, [0, 0, 0, 0])),
            Malformation(
                "has elements in int32_data, expected float32 elements in float_data", .number(2, 1),
                .packed(5, [1])),
            Malformation(
                "element 1 is 256, out of the range of uint8's bits", .number(1, 2), .number(2, 2),
                .packed(5, [1, 256])),
            Malformation(
                "element 0 is -1, out of the range of float16's bits", .number(2, 10), .packed(5, [-1])),
            Malformation(
                "element 1 of a bool tensor is 2, expected 0 or 1", .number(1, 2), .number(2, 9),
                .data(9, [1, 2])),
        ]
    }

    @Test(arguments: Malformation.all) func `refuses by name`(_ malformation: Malformation) {
        #expect(
            folder.refusal(.model(initializer: malformation.fields)) == "tensor 'w': " + malformation.reason)
    }

    @Test func `reads a tensor of as many dimensions as the limit`() throws {
        let dims = [Int64](repeating: 1, count: 64)
        let graph = try folder.load(
            .model(initializer: .packed(1, dims), .number(2, 1), .data(9, [0, 0, 0, 0])))
        #expect(graph.constants["w"]?.shape.rank == 64)
    }
}
