import Execution
import Graph
import Kernels
import Tensors
import Testing

@Suite struct ResizeLoweringTests {
    private struct Resizing {
        let input: [Int]
        var scales: [Float] = []
        var sizes: [Int64] = []
        var attributes: [String: Attribute] = [:]
    }

    private static let linear: [String: Attribute] = ["mode": .string("linear")]

    private static let cases: [Resizing] = [
        Resizing(input: [1, 2, 3, 4], scales: [1, 1, 2, 2]),
        Resizing(input: [2, 3, 7, 5], scales: [1, 1, 2, 3], attributes: linear),
        Resizing(
            input: [2, 3, 7, 5], sizes: [2, 3, 14, 10],
            attributes: [
                "mode": .string("linear"), "coordinate_transformation_mode": .string("align_corners"),
            ]),
        Resizing(
            input: [1, 4, 6, 6], scales: [1, 1, 2, 2],
            attributes: [
                "mode": .string("nearest"), "coordinate_transformation_mode": .string("asymmetric"),
                "nearest_mode": .string("floor"),
            ]),
        Resizing(input: [1, 2, 9, 8], sizes: [1, 2, 4, 3], attributes: linear),
        // One axis grows, the other shrinks.
        Resizing(input: [1, 2, 9, 4], sizes: [1, 2, 4, 11], attributes: linear),
        Resizing(
            input: [1, 2, 5, 6], scales: [1, 1, 1.5, 2.5],
            attributes: [
                "mode": .string("cubic"), "cubic_coeff_a": .real(-0.5), "exclude_outside": .integer(1),
            ]),
        Resizing(input: [2, 3, 9], scales: [1, 1, 2.2], attributes: linear),
        Resizing(input: [1, 2, 3, 4, 5], scales: [1, 1, 2, 1, 2], attributes: linear),
        Resizing(input: [2, 2, 4, 4], scales: [1, 1, 1, 1], attributes: linear),
    ]

    @Test(arguments: cases.indices, InstructionSet.supported)
    func `equals the reference`(_ index: Int, _ set: InstructionSet) throws {
        let c = Self.cases[index]
        var noise = Noise(5)
        var sketch = GraphSketch(opset: 19)
        sketch.input("x", c.input.map(Dimension.known))
        if c.sizes.isEmpty {
            sketch.constants["scales"] = try Tensor(c.scales, shape: Shape([c.scales.count]))
            try sketch.add("Resize", ["x", nil, "scales"], ["y"], c.attributes)
        } else {
            sketch.constants["sizes"] = Tensor(c.sizes)
            try sketch.add("Resize", ["x", nil, nil, "sizes"], ["y"], c.attributes)
        }
        let graph = try sketch.graph(["y"])
        let executable = try Executable(graph, options: ExecutionOptions(instructionSet: set))
        #expect(executable.stepDescriptions[0].kernel != "reference evaluation")
        let inputs = ["x": noise.tensor(c.input)]
        let expected = try exactly(graph, inputs)
        for threadCount in [1, 2] {
            let outputs = try Session(executable, threadCount: threadCount).run(inputs)
            #expect(try worstError(outputs, expected) < 1e-5)
        }
    }

    @Test func `follows sizes that a run computes of shapes`() throws {
        var noise = Noise(5)
        var sketch = GraphSketch()
        sketch.input("x", [.symbol("N"), .known(3), .symbol("H"), .symbol("W")])
        sketch.input("like", [.symbol("N"), .known(3), .symbol("H2"), .symbol("W2")])
        try sketch.add("Shape", ["like"], ["sizes"])
        try sketch.add("Resize", ["x", nil, nil, "sizes"], ["y"], Self.linear)
        let graph = try sketch.graph(["y"])
        let executable = try Executable(graph, options: ExecutionOptions())
        let session = Session(executable, threadCount: 1)
        for size in [[5, 9], [3, 4], [8, 8]] {
            let inputs = ["x": noise.tensor([2, 3, 4, 5]), "like": noise.tensor([2, 3] + size)]
            let outputs = try session.run(inputs)
            #expect(try worstError(outputs, exactly(graph, inputs)) < 1e-5)
        }
    }
}
