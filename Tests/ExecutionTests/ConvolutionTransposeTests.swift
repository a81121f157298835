import Execution
import Graph
import Kernels
import Tensors
import Testing

@Suite struct ConvolutionTransposeTests {
    /// Input [N, channels, …], weights [channels, outputs / groups, …], bias [outputs].
    private static let cases: [NodeCase] = [
        NodeCase(type: "ConvTranspose", inputs: [[1, 1, 3, 3]], constants: [[1, 2, 3, 3]]),
        NodeCase(type: "ConvTranspose", inputs: [[2, 16, 5, 7]], constants: [[16, 33, 1, 1], [33]]),
        NodeCase(
            type: "ConvTranspose", inputs: [[2, 24, 7, 9]], constants: [[24, 12, 2, 2], [12]],
            attributes: ["strides": .integers([2, 2])]),
        NodeCase(
            type: "ConvTranspose", inputs: [[1, 5, 6, 4]], constants: [[5, 7, 4, 3]],
            attributes: ["strides": .integers([2, 3]), "pads": .integers([1, 0, 2, 1])]),
        NodeCase(
            type: "ConvTranspose", inputs: [[2, 6, 5, 5]], constants: [[6, 4, 3, 3], [12]],
            attributes: [
                "group": .integer(3), "strides": .integers([2, 2]), "pads": .integers([1, 1, 1, 1]),
                "output_padding": .integers([1, 0]),
            ]),
        NodeCase(
            type: "ConvTranspose", inputs: [[1, 3, 6, 5]], constants: [[3, 4, 3, 2]],
            attributes: ["dilations": .integers([2, 3]), "pads": .integers([3, 1, 0, 4])]),
        NodeCase(
            type: "ConvTranspose", inputs: [[1, 2, 4, 4]], constants: [[2, 3, 3, 3]],
            attributes: ["strides": .integers([3, 2]), "output_shape": .integers([10, 8])]),
        NodeCase(
            type: "ConvTranspose", inputs: [[2, 3, 4, 5]], constants: [[3, 2, 3, 3]],
            attributes: ["strides": .integers([2, 2]), "auto_pad": .string("SAME_LOWER")]),
        // Strides longer than the kernel leave outputs that only the bias reaches.
        NodeCase(
            type: "ConvTranspose", inputs: [[2, 4, 5, 3]], constants: [[4, 4, 1, 2], [4]],
            attributes: ["strides": .integers([3, 4])]),
        NodeCase(
            type: "ConvTranspose", inputs: [[2, 8, 19]], constants: [[8, 5, 4], [5]],
            attributes: ["strides": .integers([2]), "pads": .integers([1, 1])]),
        NodeCase(
            type: "ConvTranspose", inputs: [[1, 3, 3, 4, 5]], constants: [[3, 2, 2, 3, 2]],
            attributes: ["strides": .integers([2, 1, 2]), "pads": .integers([0, 1, 0, 1, 1, 0])]),
        // More depth than one block.
        NodeCase(
            type: "ConvTranspose", inputs: [[1, 640, 3, 3]], constants: [[640, 5, 2, 2], [5]],
            attributes: ["strides": .integers([2, 2])]),
    ]

    @Test(arguments: cases, InstructionSet.supported)
    func `equals the reference`(_ c: NodeCase, _ set: InstructionSet) throws { try c.check(set) }

    @Test(arguments: InstructionSet.supported)
    func `takes an activation into its epilogue`(_ set: InstructionSet) throws {
        for activation in ["Relu", "Sigmoid", "HardSwish"] {
            var noise = Noise(5)
            var sketch = GraphSketch()
            sketch.input("x", [.symbol("N"), .known(9), .known(5), .known(4)])
            sketch.constants["w"] = noise.tensor([9, 6, 3, 3], scale: 0.2)
            sketch.constants["b"] = noise.tensor([6])
            try sketch.add("ConvTranspose", ["x", "w", "b"], ["y"], ["strides": .integers([2, 2])])
            try sketch.add(activation, ["y"], ["z"])
            let graph = try sketch.graph(["z"])
            let executable = try Executable(
                graph, options: ExecutionOptions(instructionSet: set, nanosecondsPerThread: 0))
            #expect(executable.stepDescriptions.count == 1)
            let inputs = ["x": noise.tensor([2, 9, 5, 4])]
            let outputs = try Session(executable, threadCount: 2).run(inputs)
            #expect(try worstError(outputs, exactly(graph, inputs)) < 1e-5)
        }
    }
}
