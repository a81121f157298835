import Graph
import Tensors
import Testing

/// Every refusal says what, where, expected and actual.
@Suite struct OperatorErrorTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let type: String
        var opset = 17
        var attributes: [String: Attribute] = [:]
        let inputs: [ValueInfo?]
        var outputs = 1
        let message: String

        var testDescription: String { message }
    }

    private static let image = info(1, 3, 8, 8)

    static let cases: [Case] = [
        Case(
            type: "Conv", inputs: [image, info(8, 4, 3, 3)],
            message: "Conv: X has 3 channels, W has 4 input channels in each of 1 groups"),
        Case(
            type: "Conv", attributes: ["group": .integer(3)], inputs: [image, info(8, 1, 3, 3)],
            message: "Conv: W has 8 output channels, they cannot be divided into 3 groups"),
        Case(
            type: "Conv", attributes: ["group": .integer(0)], inputs: [image, image],
            message: "Conv: attribute 'group' is 0, expected 1 to 2147483647"),
        Case(
            type: "Conv", inputs: [image, info(8, 3, 3, 3), info(4)],
            message: "Conv: W has 8 output channels, B has 4"),
        Case(
            type: "Conv", inputs: [image, info(8, 3, 9, 3)],
            message: "Conv: the window spans 9 elements of spatial axis 0, the padded input has 8"),
        Case(
            type: "Conv", attributes: ["kernel_shape": .integers([5, 3])], inputs: [image, info(8, 3, 3, 3)],
            message: "Conv: W has a kernel extent of 3 on spatial axis 0, kernel_shape says 5"),
        Case(
            type: "Conv", attributes: ["strides": .integers([0, 1])], inputs: [image, image],
            message: "Conv: attribute 'strides' is 0, expected 1 to 2147483647"),
        Case(
            type: "Conv", attributes: ["pads": .integers([0, -1, 0, 0])], inputs: [image, image],
            message: "Conv: attribute 'pads' is -1, expected 0 to 2147483647"),
        Case(
            type: "Conv", attributes: ["pads": .integers([1, 1, 1])], inputs: [image, image],
            message: "Conv: attribute 'pads' has 3 numbers, an odd count"),
        Case(
            type: "Conv", attributes: ["strides": .integers([1])], inputs: [image, info(8, 3, 3, 3)],
            message: "Conv: the attributes are for 1 spatial axes, the input has 2"),
        Case(
            type: "Conv", attributes: ["auto_pad": .string("SAME")], inputs: [image, image],
            message:
                "Conv: attribute 'auto_pad' is 'SAME', expected one of NOTSET, SAME_UPPER, SAME_LOWER, VALID"),
        Case(
            type: "Conv", inputs: [ValueInfo(.int32, [1, 3, 8, 8]), image],
            message: "Conv: X has element type int32, expected a floating type"),
        Case(
            type: "Conv", inputs: [image, ValueInfo(.float16, [8, 3, 3, 3])],
            message: "Conv: W has element type float16, X has float32"),
        Case(type: "Conv", inputs: [image, nil], message: "Conv: the input W is absent"),
        Case(
            type: "Conv", inputs: [info(1, 3), image],
            message: "Conv: X float32[1,3] has rank 2, expected at least 3"),
        Case(
            type: "ConvTranspose", inputs: [image, info(4, 8, 3, 3)],
            message: "ConvTranspose: X has 3 channels, W is for 4"),
        Case(
            type: "ConvTranspose", attributes: ["pads": .integers([9, 9, 9, 9])],
            inputs: [image, info(3, 8, 3, 3)],
            message: "ConvTranspose: spatial axis 0 of the output has an extent of -8"),
        Case(
            type: "BatchNormalization", inputs: [info(1, 64, 8, 8), info(32), info(32), info(32), info(32)],
            message: "BatchNormalization: the input has 64 channels, scale has 32"),
        Case(
            type: "BatchNormalization", attributes: ["training_mode": .integer(1)],
            inputs: [image, info(3), info(3), info(3), info(3)],
            message:
                "BatchNormalization: attribute 'training_mode' is 1: the model was exported in training mode; "
                + "call model.eval() and export again"),
        Case(
            type: "BatchNormalization", opset: 9, inputs: [image, info(3), info(3), info(3), info(3)],
            outputs: 3,
            message: "BatchNormalization: has 3 outputs: the model was exported in training mode; "
                + "call model.eval() and export again"),
        Case(
            type: "BatchNormalization", opset: 7, attributes: ["spatial": .integer(0)],
            inputs: [image, info(3), info(3), info(3), info(3)],
            message:
                "BatchNormalization: attribute 'spatial' is 0, only statistics for each channel are known"),
        Case(
            type: "MaxPool", inputs: [image], message: "MaxPool: attribute 'kernel_shape' is required"),
        Case(
            type: "MaxPool", opset: 8,
            attributes: ["kernel_shape": .integers([2, 2]), "dilations": .integers([1, 1])],
            inputs: [image], message: "MaxPool: attribute 'dilations' is not known in opset 8"),
        Case(
            type: "AveragePool", attributes: ["kernel_shape": .integers([9, 9])], inputs: [image],
            message: "AveragePool: the window spans 9 elements of spatial axis 0, the padded input has 8"),
        Case(
            type: "Gemm", inputs: [info(2, 3), info(4, 5)],
            message: "Gemm: A has 3 columns after transposition, B has 4 rows"),
        Case(
            type: "Gemm", inputs: [info(2, 3), info(3, 5), info(4)],
            message: "Gemm: C has an extent of 4, it is broadcast to 5"),
        Case(
            type: "MatMul", inputs: [info(2, 3), info(4, 5)],
            message: "MatMul: A float32[2,3] has 3 columns, B float32[4,5] has 4 rows"),
        Case(
            type: "Add", inputs: [info(2, 3), info(2, 4)],
            message: "Add: extents 3 and 4 cannot be broadcast together"),
        Case(
            type: "Add", inputs: [info(2), ValueInfo(.int64, [2])],
            message: "Add: B has element type int64, A has float32"),
        Case(
            type: "Concat", attributes: ["axis": .integer(1)], inputs: [info(1, 2), info(3, 2)],
            message: "Concat: input 1 has an extent of 3 on axis 0, those before have 1"),
        Case(
            type: "Concat", attributes: ["axis": .integer(2)], inputs: [info(1, 2)],
            message: "Concat: axis is 2, the input has rank 2"),
        Case(
            type: "Reshape", inputs: [info(2, 3), vector(4, -1)],
            message: "Reshape: data has 6 elements, they cannot be divided by 4 for -1"),
        Case(
            type: "Reshape", inputs: [info(2, 3), vector(-1, -1)],
            message: "Reshape: shape has more than one -1"),
        Case(
            type: "Reshape", inputs: [info(2, 3), vector(3, 3)],
            message: "Reshape: data has 6 elements, shape [3, 3] has 9"),
        Case(
            type: "Reshape", inputs: [info(2, 3), vector(1, 2, 0)],
            message: "Reshape: shape keeps the extent of axis 2, data has rank 2"),
        Case(
            type: "Transpose", attributes: ["perm": .integers([0, 0])], inputs: [info(2, 3)],
            message: "Transpose: attribute 'perm' [0, 0] is no permutation of axes"),
        Case(
            type: "Squeeze", inputs: [info(2, 3), vector(0)],
            message: "Squeeze: axis 0 has an extent of 2, expected 1"),
        Case(
            type: "Unsqueeze", inputs: [info(2, 3), vector(1, 1)],
            message: "Unsqueeze: the axis 1 is named twice"),
        Case(
            type: "Slice", inputs: [info(5), vector(0), vector(5), vector(0), vector(0)],
            message: "Slice: a step is 0"),
        Case(
            type: "Gather", inputs: [info(5), vector(5)],
            message: "Gather: an index is 5, axis 0 has an extent of 5"),
        Case(
            type: "Split", attributes: ["axis": .integer(0)], inputs: [info(5), vector(2, 2)], outputs: 2,
            message: "Split: split [2, 2] adds up to 4, the axis has an extent of 5"),
        Case(
            type: "Pad", inputs: [info(5), vector(-3, -3)],
            message: "Pad: pads -3 and -3 leave -1 elements of axis 0"),
        Case(
            type: "Expand", inputs: [info(5), vector(1, 4)],
            message: "Expand: extents 5 and 4 cannot be broadcast together"),
        Case(
            type: "Range",
            inputs: [
                ValueInfo(.int64, [], elements: [0]), ValueInfo(.int64, [], elements: [5]),
                ValueInfo(.int64, [], elements: [0]),
            ], message: "Range: delta is 0"),
        Case(
            type: "Cast", attributes: ["to": .integer(8)], inputs: [info(5)],
            message: "Cast: attribute 'to' is 8, no element type that is known"),
        Case(
            type: "ConstantOfShape", inputs: [vector(1_099_511_627_776, 1_099_511_627_776)],
            message:
                "ConstantOfShape: shape [1099511627776, 1099511627776] has more elements than can be addressed"
        ),
        Case(
            type: "Resize", inputs: [info(1, 1, 4, 4)], message: "Resize: neither scales nor sizes are given"),
        Case(
            type: "GroupNormalization", opset: 21, attributes: ["num_groups": .integer(2)],
            inputs: [image, info(3), info(3)],
            message: "GroupNormalization: the input has 3 channels, they cannot be divided into 2 groups"),
        Case(
            type: "Relu", inputs: [info(.known(-1))], message: "Relu: X float32[-1] has an extent of -1"),
        Case(
            type: "Softmax", attributes: ["axis": .integer(4)], inputs: [image],
            message: "Softmax: axis is 4, the input has rank 4"),
        Case(type: "Relu", inputs: [info(2), info(2)], message: "Relu takes 1 inputs, got 2"),
    ]

    @Test(arguments: cases) func `says`(_ item: Case) {
        let error = #expect(throws: GraphError.self) {
            let node = try makeNode(
                item.type, opset: item.opset, item.attributes, inputs: item.inputs.count,
                outputs: item.outputs)
            _ = try node.operation.inferOutputs(item.inputs, outputCount: item.outputs)
        }
        #expect(error?.description == item.message)
    }

    @Test func `an evaluation checks its inputs without an inference before it`() throws {
        let conv = try makeNode("Conv", inputs: 2).operation
        let x = try tensor([1, 1, 2, 2], [1, 2, 3, 4])
        #expect(throws: GraphError.self) { try conv.evaluate([x, nil], outputCount: 1) }
        #expect(throws: GraphError.self) { try conv.evaluate([], outputCount: 1) }
        #expect(throws: GraphError.self) {
            try conv.evaluate([x, tensor([1, 2, 1, 1], [1, 1])], outputCount: 1)
        }
        let whole = try tensor([1, 1, 2, 2], [1, 2, 3, 4], .int32)
        #expect(throws: GraphError.self) { try conv.evaluate([whole, whole], outputCount: 1) }
    }

    @Test func `an evaluation refuses to allocate more than its limit`() throws {
        let operation = try makeNode("ConstantOfShape", inputs: 1).operation
        let over = try tensor([1], [Double(EvaluationLimits.maximumElementCount + 1)], .int64)
        let error = #expect(throws: GraphError.self) { try operation.evaluate([over], outputCount: 1) }
        #expect(
            error
                == .limit(
                    "elements of one output of ConstantOfShape",
                    maximum: EvaluationLimits.maximumElementCount,
                    actual: EvaluationLimits.maximumElementCount + 1))
    }

    @Test func `an integer divided by zero is refused`() throws {
        let (one, zero) = (try tensor([1], [1], .int32), try tensor([1], [0], .int32))
        for type in ["Div", "Mod"] {
            let operation = try makeNode(type, inputs: 2).operation
            let error = #expect(throws: GraphError.self) {
                try operation.evaluate([one, zero], outputCount: 1)
            }
            #expect(error?.description == "\(type): an integer is divided by zero")
        }
    }
}
