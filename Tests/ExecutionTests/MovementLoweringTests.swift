import Execution
import Graph
import Kernels
import Tensors
import Testing

@Suite struct MovementLoweringTests {
    private static let cases: [NodeCase] = [
        NodeCase(type: "Split", inputs: [[2, 6, 3]], attributes: ["axis": .integer(1)], outputCount: 3),
        NodeCase(
            type: "Split", inputs: [[2, 6]], integers: [[1, 5]], attributes: ["axis": .integer(-1)],
            outputCount: 2),
        NodeCase(type: "Transpose", inputs: [[5, 33]]),
        NodeCase(type: "Transpose", inputs: [[2, 19, 7, 5]], attributes: ["perm": .integers([0, 2, 3, 1])]),
        NodeCase(type: "Transpose", inputs: [[2, 7, 5, 40]], attributes: ["perm": .integers([0, 3, 1, 2])]),
        NodeCase(
            type: "Transpose", inputs: [[2, 2, 9, 3, 3]], attributes: ["perm": .integers([0, 2, 1, 3, 4])]),
        NodeCase(type: "Transpose", inputs: [[2, 3, 4, 5]], attributes: ["perm": .integers([3, 1, 0, 2])]),
        NodeCase(type: "Transpose", inputs: [[3, 4, 5]], attributes: ["perm": .integers([2, 1, 0])]),
        NodeCase(type: "Transpose", inputs: [[1, 4, 1]], attributes: ["perm": .integers([1, 2, 0])]),
        NodeCase(type: "Slice", inputs: [[4, 9]], integers: [[1, 2], [3, 8]]),
        NodeCase(type: "Slice", inputs: [[4, 9]], integers: [[-1], [-10], [1], [-2]]),
        NodeCase(
            type: "Slice", inputs: [[4, 9]], integers: [[100, -100], [-100, 100], [1, 0], [-3, 2]]),
        NodeCase(type: "Slice", inputs: [[2, 5, 6]], integers: [[0], [Int64.max], [1], [2]]),
        NodeCase(type: "Slice", inputs: [[2, 5]], integers: [[4], [2], [1]]),
        NodeCase(type: "Pad", inputs: [[2, 3, 4]], integers: [[0, 1, 2, 1, 0, 3]]),
        NodeCase(type: "Pad", inputs: [[5, 6]], integers: [[-1, 2, -2, -3]]),
        NodeCase(type: "Softmax", inputs: [[3, 17]]),
        NodeCase(type: "Softmax", inputs: [[2, 5, 3, 7]], attributes: ["axis": .integer(1)]),
        NodeCase(type: "Softmax", inputs: [[2, 5, 3]], opset: 11),
        NodeCase(type: "LayerNormalization", inputs: [[2, 3, 19]], constants: [[19], [19]]),
        NodeCase(
            type: "LayerNormalization", inputs: [[2, 3, 19]], constants: [[3, 19]],
            attributes: ["axis": .integer(1)]),
        NodeCase(
            type: "GroupNormalization", inputs: [[2, 6, 5, 7]], constants: [[6], [6]],
            attributes: ["num_groups": .integer(3)], opset: 21),
        NodeCase(
            type: "GroupNormalization", inputs: [[2, 6, 19]], constants: [[2], [2]],
            attributes: ["num_groups": .integer(2), "epsilon": .real(0.1)], opset: 18),
        NodeCase(
            type: "GroupNormalization", inputs: [[3, 12]], constants: [[12], [12]],
            attributes: ["num_groups": .integer(1)], opset: 21),
        // More than the moments of one piece.
        NodeCase(
            type: "GroupNormalization", inputs: [[2, 4, 97, 101]], constants: [[4], [4]],
            attributes: ["num_groups": .integer(1)], opset: 21),
        NodeCase(type: "InstanceNormalization", inputs: [[2, 5, 3, 7]], constants: [[5], [5]]),
        NodeCase(
            type: "ReduceMean", inputs: [[2, 5, 3, 7]],
            attributes: ["axes": .integers([2, 3]), "keepdims": .integer(0)]),
        NodeCase(type: "ReduceMean", inputs: [[2, 5, 7]], attributes: ["axes": .integers([1])]),
        NodeCase(type: "ReduceSum", inputs: [[2, 5, 7]], integers: [[-1]]),
        NodeCase(type: "ReduceMean", inputs: [[2, 5, 7]]),
        NodeCase(type: "LeakyRelu", inputs: [[5, 7]]),
        NodeCase(type: "Elu", inputs: [[5, 7]]),
        NodeCase(type: "HardSigmoid", inputs: [[5, 7]]),
        NodeCase(type: "Erf", inputs: [[5, 77]]),
        NodeCase(type: "Exp", inputs: [[5, 7]]),
        NodeCase(type: "Neg", inputs: [[5, 7]]),
        NodeCase(type: "Abs", inputs: [[5, 7]]),
        NodeCase(type: "Gelu", inputs: [[5, 77]], opset: 20),
        NodeCase(type: "Gelu", inputs: [[5, 77]], attributes: ["approximate": .string("tanh")], opset: 20),
        NodeCase(type: "Min", inputs: [[5, 7], [7]]),
        NodeCase(type: "Max", inputs: [[5, 7], [7]]),
        NodeCase(type: "PRelu", inputs: [[2, 5, 7]], constants: [[5, 1]]),
        NodeCase(type: "Unsqueeze", inputs: [[5, 7]], integers: [[0, 3]]),
        NodeCase(type: "Squeeze", inputs: [[5, 1, 7]], integers: [[1]]),
    ]

    @Test(arguments: cases, InstructionSet.supported)
    func `equals the reference`(_ c: NodeCase, _ set: InstructionSet) throws { try c.check(set) }
}
