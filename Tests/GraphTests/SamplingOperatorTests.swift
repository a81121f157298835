import Graph
import Tensors
import Testing

/// What sampling, folding and unpooling refuse, and positions where no element is.
@Suite struct SamplingOperatorTests {
    private static let image = info(1, 4, 6, 6)

    static let errors: [OperatorErrorTests.Case] = [
        .init(
            type: "GridSample", inputs: [image, info(1, 5, 5, 3)],
            message: "GridSample: grid has 3 coordinates a position, X has 2 spatial axes"),
        .init(
            type: "GridSample", inputs: [image, info(2, 5, 5, 2)],
            message: "GridSample: X has 1 images, grid is for 2"),
        .init(
            type: "GridSample", inputs: [info(1, 4, 6, 6, 6), info(1, 5, 5, 5, 3)],
            message: "GridSample: X float32[1,4,6,6,6] has rank 5, expected 4"),
        .init(
            type: "GridSample", attributes: ["mode": .string("linear")], inputs: [image, info(1, 5, 5, 2)],
            message: "GridSample: attribute 'mode' is 'linear', expected one of bilinear, nearest, bicubic"),
        .init(
            type: "GridSample", opset: 20, attributes: ["mode": .string("bilinear")],
            inputs: [image, info(1, 5, 5, 2)],
            message: "GridSample: attribute 'mode' is 'bilinear', expected one of nearest, linear, cubic"),
        .init(
            type: "AffineGrid", opset: 20, inputs: [info(1, 2, 3), vector(1, 1, 5, 6, 7)],
            message: "AffineGrid: theta float32[1,2,3] is for 2 spatial axes, size for 3"),
        .init(
            type: "AffineGrid", opset: 20, inputs: [info(1, 2, 2), vector(1, 1, 5, 6)],
            message: "AffineGrid: theta float32[1,2,2] holds no matrices of 2×3"),
        .init(
            type: "AffineGrid", opset: 20, inputs: [info(1, 2, 3), vector(2, 1, 5, 6)],
            message: "AffineGrid: theta float32[1,2,3] has not as many matrices as size has images, 2"),
        .init(
            type: "CenterCropPad", opset: 18, inputs: [info(2, 3), vector(2)],
            message: "CenterCropPad: shape has 1 elements, expected 2"),
        .init(
            type: "CenterCropPad", opset: 18, inputs: [info(2, 3), vector(2, -1)],
            message: "CenterCropPad: shape has an extent of -1"),
        .init(
            type: "Col2Im", opset: 18, inputs: [info(1, 5, 5), vector(5, 5), vector(1, 2)],
            message: "Col2Im: 5 channels cannot be divided into blocks of [1, 2]"),
        .init(
            type: "Col2Im", opset: 18, inputs: [info(1, 4, 5), vector(5, 5), vector(1, 2)],
            message: "Col2Im: input float32[1,4,5] has not 20 columns, one for each position of the block"),
        .init(
            type: "Col2Im", opset: 18, attributes: ["auto_pad": .string("VALID")],
            inputs: [info(1, 4, 5), vector(5, 5), vector(1, 2)],
            message: "Col2Im: attribute 'auto_pad' is not known in opset 18"),
        .init(
            type: "DeformConv", opset: 19, inputs: [image, info(2, 4, 3, 3), info(1, 9, 4, 4)],
            message: "DeformConv: offset has 9 channels, expected 18"),
        .init(
            type: "DeformConv", opset: 19, inputs: [image, info(2, 4, 3, 3), info(1, 18, 6, 4)],
            message: "DeformConv: offset has an extent of 6 on axis 2, the output 4"),
        .init(
            type: "DeformConv", opset: 19, inputs: [image, info(2, 3, 3, 3), info(1, 18, 4, 4)],
            message: "DeformConv: X has 4 channels, W has 3 in each of 1 groups"),
        .init(
            type: "DeformConv", opset: 19, attributes: ["offset_group": .integer(3)],
            inputs: [image, info(2, 4, 3, 3), info(1, 54, 4, 4)],
            message: "DeformConv: X has 4 channels, they cannot be divided into 3 offset groups"),
        .init(
            type: "DeformConv", opset: 19,
            inputs: [image, info(2, 4, 3, 3), info(1, 18, 4, 4), nil, info(1, 18, 4, 4)],
            message: "DeformConv: mask has 18 channels, expected 9"),
        .init(
            type: "MaxUnpool", attributes: ["kernel_shape": .integers([2, 2])],
            inputs: [image, ValueInfo(.int64, [1, 4, 6, 5])],
            message: "MaxUnpool: X is float32[1,4,6,6], I is int64[1,4,6,5]"),
        .init(
            type: "MaxUnpool",
            attributes: ["kernel_shape": .integers([2, 2]), "strides": .integers([2, 2])],
            inputs: [image, ValueInfo(.int64, [1, 4, 6, 6]), vector(1, 4, 11, 12)],
            message: "MaxUnpool: output_shape has an extent of 11, the unpooled one is 12"),
        .init(type: "Det", inputs: [info(2, 3)], message: "Det: X float32[2,3] holds no square matrices"),
    ]

    @Test(arguments: errors) func `says`(_ item: OperatorErrorTests.Case) {
        let error = #expect(throws: GraphError.self) {
            let node = try makeNode(item.type, opset: item.opset, item.attributes, inputs: item.inputs.count)
            _ = try node.operation.inferOutputs(item.inputs, outputCount: 1)
        }
        #expect(error?.description == item.message)
    }

    @Test(arguments: ["zeros", "border", "reflection"], ["nearest", "linear", "cubic"])
    func `a grid may point anywhere`(padding: String, mode: String) throws {
        let operation = try makeNode(
            "GridSample", opset: 22, ["padding_mode": .string(padding), "mode": .string(mode)], inputs: 2
        ).operation
        let places = [0, 1e30, -1e30, .infinity, -.infinity, .nan, 1e308, -5]
        let x = try tensor([1, 1, 3], [1, 2, 3])
        let grid = try tensor([1, places.count, 1], places)
        let result = try #require(try operation.evaluate([x, grid], outputCount: 1)[0].reals)
        #expect(result[0] == 2)
        if padding == "zeros" { #expect(result[1...].allSatisfy { $0 == 0 }) }
        #expect(result.allSatisfy { $0.isFinite })
        let wide = try tensor([1, 1, 3], [1, 2, 3], .uint8)
        #expect(try operation.evaluate([wide, grid], outputCount: 1)[0].integers?[0] == 2)
        let empty = try tensor([1, 1, 0], [])
        #expect(throws: GraphError.self) { try operation.evaluate([empty, grid], outputCount: 1) }
    }

    @Test func `unpooling refuses a position outside`() throws {
        let operation = try makeNode("MaxUnpool", ["kernel_shape": .integers([2])], inputs: 2).operation
        let x = try tensor([1, 1, 2], [5, 7])
        let inside = try operation.evaluate([x, tensor([1, 1, 2], [2, 0], .int64)], outputCount: 1)
        #expect(inside[0].reals == [7, 0, 5])
        for position in [3.0, -1] {
            #expect(throws: GraphError.self) {
                try operation.evaluate([x, tensor([1, 1, 2], [position, 0], .int64)], outputCount: 1)
            }
        }
    }

    @Test func `a deformed convolution without offsets is a convolution`() throws {
        let attributes: [String: Attribute] = [
            "strides": .integers([2]), "pads": .integers([1, 2]), "dilations": .integers([2]),
            "group": .integer(2),
        ]
        let x = try tensor([2, 4, 7], (0..<56).map { Double($0 * $0 % 11) }, .float64)
        let weight = try tensor([2, 2, 3], (0..<12).map { Double($0 % 5) - 2 }, .float64)
        let conv = try makeNode("Conv", opset: 22, attributes, inputs: 2).operation
        let deformed = try makeNode("DeformConv", opset: 22, attributes, inputs: 3).operation
        let expected = try conv.evaluate([x, weight], outputCount: 1)[0]
        let offset = try tensor(
            [2, 3, expected.shape[2]], .init(repeating: 0, count: 6 * expected.shape[2]), .float64)
        let result = try deformed.evaluate([x, weight, offset], outputCount: 1)[0]
        #expect(result.shape == expected.shape)
        #expect(result.reals == expected.reals)
    }
}
