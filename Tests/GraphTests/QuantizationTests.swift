import Graph
import Tensors
import Testing

/// What the published vectors leave open of quantization.
@Suite struct QuantizationTests {
    private static func run(
        _ type: String, opset: Int = 23, _ attributes: [String: Attribute], _ inputs: [ExactTensor?],
        outputs: Int = 1
    ) throws -> [ExactTensor] {
        try makeNode(type, opset: opset, attributes, inputs: inputs.count, outputs: outputs).operation
            .evaluate(inputs, outputCount: outputs)
    }

    struct Refusal: Sendable, CustomTestStringConvertible {
        let type: String
        var opset = 23
        var attributes: [String: Attribute] = [:]
        let inputs: [ValueInfo?]
        let message: String
        var testDescription: String { message }
    }

    private static func bytes(_ dimensions: Dimension...) -> ValueInfo { ValueInfo(.uint8, dimensions) }

    static let refusals: [Refusal] = [
        Refusal(
            type: "QuantizeLinear", inputs: [info(2, 3), info(2)],
            message: "QuantizeLinear: y_scale float32[2] has an extent of 2, expected 3"),
        Refusal(
            type: "QuantizeLinear", attributes: ["axis": .integer(2)], inputs: [info(2, 3), info(3)],
            message: "QuantizeLinear: axis is 2, the input has rank 2"),
        Refusal(
            type: "QuantizeLinear", opset: 10, inputs: [info(2, 3), info(3)],
            message:
                "QuantizeLinear: y_scale float32[3] is no scalar, and before opset 13 there is one for all"),
        Refusal(
            type: "QuantizeLinear", opset: 20, attributes: ["block_size": .integer(2)],
            inputs: [info(2, 3), info(2, 2)],
            message: "QuantizeLinear: attribute 'block_size' is not known in opset 20"),
        Refusal(
            type: "QuantizeLinear", attributes: ["block_size": .integer(2)],
            inputs: [info(2, 3), info(2, 3)],
            message: "QuantizeLinear: y_scale float32[2,3] has an extent of 3, expected 2"),
        Refusal(
            type: "QuantizeLinear", attributes: ["output_dtype": .integer(17)], inputs: [info(2), info()],
            message:
                "QuantizeLinear: attribute 'output_dtype' is 17 (float8e4m3fn), no element type that is known"
        ),
        Refusal(
            type: "QuantizeLinear", attributes: ["output_dtype": .integer(22)], inputs: [info(2), info()],
            message: "QuantizeLinear: attribute 'output_dtype' is 22 (int4), no element type that is known"),
        Refusal(
            type: "QuantizeLinear", attributes: ["output_dtype": .integer(1)], inputs: [info(2), info()],
            message: "QuantizeLinear: attribute 'output_dtype' is float32, expected an 8- or 16-bit integer"),
        Refusal(
            type: "QuantizeLinear", attributes: ["precision": .integer(6)], inputs: [info(2), info()],
            message: "QuantizeLinear: attribute 'precision' is int32, expected a floating type"),
        Refusal(
            type: "QuantizeLinear", attributes: ["output_dtype": .integer(3)],
            inputs: [info(2), info(), bytes()],
            message: "QuantizeLinear: y_zero_point has element type uint8, output_dtype says int8"),
        Refusal(
            type: "DequantizeLinear", inputs: [info(2), info()],
            message:
                "DequantizeLinear: x has element type float32, expected int8 or uint8 or int16 or uint16 or int32"
        ),
        Refusal(
            type: "DequantizeLinear", inputs: [bytes(2), info(), ValueInfo(.int8, [])],
            message: "DequantizeLinear: x_zero_point has element type int8, x has uint8"),
        Refusal(
            type: "DequantizeLinear", attributes: ["output_dtype": .integer(2)], inputs: [bytes(2), info()],
            message: "DequantizeLinear: attribute 'output_dtype' is uint8, expected a floating type"),
        Refusal(
            type: "DynamicQuantizeLinear", inputs: [info(2, 0)],
            message: "DynamicQuantizeLinear: x has no elements"),
        Refusal(
            type: "ConvInteger", inputs: [bytes(1, 3, 8, 8), bytes(8, 4, 3, 3)],
            message: "ConvInteger: X has 3 channels, W has 4 input channels in each of 1 groups"),
        Refusal(
            type: "ConvInteger", inputs: [bytes(1, 3, 8, 8), bytes(8, 3, 3, 3), nil, bytes(4)],
            message: "ConvInteger: w has 8 output channels, w_zero_point has 4"),
        Refusal(
            type: "ConvInteger", inputs: [info(1, 3, 8, 8), bytes(8, 3, 3, 3)],
            message: "ConvInteger: x has element type float32, expected int8 or uint8"),
        Refusal(
            type: "QLinearConv",
            inputs: [
                bytes(1, 3, 8, 8), info(), bytes(), bytes(8, 3, 3, 3), info(8), bytes(8), info(), bytes(),
                ValueInfo(.int32, [7]),
            ],
            message: "QLinearConv: the input has 8 channels, B has 7"),
        Refusal(
            type: "MatMulInteger", inputs: [bytes(2, 3), bytes(4, 5)],
            message: "MatMulInteger: A float64[2,3] has 3 columns, B float64[4,5] has 4 rows"),
        Refusal(
            type: "MatMulInteger", inputs: [bytes(2, 3), bytes(3, 5), bytes(3)],
            message: "MatMulInteger: a_zero_point uint8[3] has an extent of 3, expected 2"),
        Refusal(
            type: "MatMulInteger", inputs: [bytes(2, 3), bytes(3, 5), nil, bytes(3, 5)],
            message: "MatMulInteger: b_zero_point uint8[3,5] has an extent of 3 on axis 0, expected 1"),
        Refusal(
            type: "MatMulInteger", inputs: [bytes(3), bytes(3, 5), bytes(2)],
            message: "MatMulInteger: a_zero_point uint8[2] is for rows or columns, its operand is a vector"),
        Refusal(
            type: "QLinearMatMul",
            inputs: [bytes(2, 3), info(), bytes(), bytes(3, 5), info(5), bytes(5), info(2), bytes()],
            message: "QLinearMatMul: y_scale float32[2] has 2 elements, expected 1"),
    ]

    @Test(arguments: refusals) func `says`(_ item: Refusal) {
        let error = #expect(throws: GraphError.self) {
            let node = try makeNode(item.type, opset: item.opset, item.attributes, inputs: item.inputs.count)
            _ = try node.operation.inferOutputs(item.inputs, outputCount: 1)
        }
        #expect(error?.description == item.message)
    }

    @Test func `halves go to even before the zero point is added`() throws {
        let x = try tensor([6], [-1.5, -0.5, 0.5, 1.5, 2.5, 3.5])
        let result = try Self.run(
            "QuantizeLinear", [:], [x, tensor([], [1]), tensor([], [1], .int8)])
        #expect(result[0].integers == [-1, 1, 1, 3, 3, 5])
    }

    @Test func `what no integer stands for is held to the range, NaN to the zero point`() throws {
        let x = try tensor([5], [.nan, .infinity, -.infinity, 1e38, -1e38])
        for (type, least, greatest) in [
            (ElementType.int8, -128, 127), (.uint8, 0, 255), (.int16, -32768, 32767), (.uint16, 0, 65535),
        ] {
            let result = try Self.run(
                "QuantizeLinear", [:], [x, tensor([], [1e-3]), tensor([], [7], type)])
            #expect(result[0].elementType == type)
            #expect(result[0].integers == [7, greatest, least, greatest, least].map { Int64($0) })
        }
        let divided = try Self.run("QuantizeLinear", [:], [tensor([2], [1, 0]), tensor([], [0])])
        #expect(divided[0].integers == [255, 0])
    }

    @Test func `the quotient is rounded to the type that it is divided in`() throws {
        // bfloat16 has nothing between 3.484 and 3.5, which goes to the even 4.
        let odd = [try tensor([1], [3.498]), try tensor([], [1]), try tensor([], [0], .int16)]
        #expect(try Self.run("QuantizeLinear", [:], odd)[0].integers == [3])
        #expect(try Self.run("QuantizeLinear", ["precision": .integer(16)], odd)[0].integers == [4])
    }

    @Test func `a last block may be short`() throws {
        let result = try Self.run(
            "DequantizeLinear", ["block_size": .integer(2), "axis": .integer(0)],
            [tensor([3], [4, 6, 8], .int32), tensor([2], [1, 10]), tensor([2], [1, 2], .int32)])
        #expect(result[0].reals == [3, 5, 60])
    }

    @Test func `zeros are quantized by a scale of one`() throws {
        let result = try Self.run("DynamicQuantizeLinear", [:], [tensor([2], [0, 0])], outputs: 3)
        #expect(result[0].integers == [0, 0])
        #expect(result[1].reals == [1])
        #expect(result[2].integers == [0])
    }

    @Test func `reals that are no numbers give integers`() throws {
        for value in [Double.nan, .infinity, -.infinity] {
            let result = try Self.run("DynamicQuantizeLinear", [:], [tensor([2], [value, 1])], outputs: 3)
            #expect(result[0].integers?.count == 2)
        }
    }

    @Test func `sums of integers are kept in 32 bits`() throws {
        // 40 000 products of 255·255 are over 2³¹.
        let count = 40_000
        let many = try tensor([1, count], [Double](repeating: 255, count: count), .uint8)
        let column = try tensor([count, 1], [Double](repeating: 255, count: count), .uint8)
        let result = try Self.run("MatMulInteger", [:], [many, column])
        #expect(result[0].integers == [Int64(Int32(truncatingIfNeeded: 255 * 255 * count))])
    }

    @Test func `vectors have products too, and zero points are for rows or columns`() throws {
        let vector = try tensor([2], [3, 5], .uint8)
        #expect(
            try Self.run("MatMulInteger", [:], [vector, vector, tensor([], [1], .uint8)])[0].integers == [26])
        let matrix = try tensor([2, 2], [1, 2, 3, 4], .int8)
        let rows = try Self.run("MatMulInteger", [:], [matrix, matrix, tensor([2], [1, 3], .int8)])
        #expect(rows[0].integers == [3, 4, 3, 4])
        let columns = try Self.run("MatMulInteger", [:], [matrix, matrix, nil, tensor([2], [1, 2], .int8)])
        #expect(columns[0].integers == [4, 4, 8, 8])
    }

    @Test func `the padding of an integer convolution is the zero point`() throws {
        let result = try Self.run(
            "ConvInteger", ["pads": .integers([1, 1])],
            [
                tensor([1, 1, 2], [5, 6], .uint8), tensor([1, 1, 3], [1, 1, 1], .uint8),
                tensor([], [4], .uint8),
            ])
        #expect(result[0].integers == [3, 3])
    }
}
