import Execution
import Graph
import Kernels
import Tensors
import Testing

@Suite struct PatternRecognitionTests {
    private struct Chain: Sendable {
        let expected: [String]?
        var input = [2, 6, 4, 5]
        let build: @Sendable (inout GraphSketch) throws -> Void
    }

    private static func scalars(_ sketch: inout GraphSketch, _ values: [String: Float]) {
        for (name, value) in values { sketch.constants[name] = Tensor([value]) }
    }

    private static func hardSwish(_ sketch: inout GraphSketch, shift: Float = 3, top: Float = 6) throws {
        scalars(&sketch, ["three": shift, "six": 6])
        sketch.constants["low"] = try Tensor([Float(0)], shape: .scalar)
        sketch.constants["high"] = try Tensor([top], shape: .scalar)
        try sketch.add("Add", ["x", "three"], ["a"])
        try sketch.add("Clip", ["a", "low", "high"], ["c"])
        try sketch.add("Mul", ["x", "c"], ["m"])
        try sketch.add("Div", ["m", "six"], ["y"])
    }

    private static func gelu(_ sketch: inout GraphSketch, root: Float) throws {
        scalars(&sketch, ["root": root, "one": 1, "half": 0.5])
        try sketch.add("Div", ["x", "root"], ["d"])
        try sketch.add("Erf", ["d"], ["e"])
        try sketch.add("Add", ["e", "one"], ["p"])
        try sketch.add("Mul", ["x", "p"], ["m"])
        try sketch.add("Mul", ["m", "half"], ["y"])
    }

    private static func shuffle(_ sketch: inout GraphSketch, _ permutation: [Int64]) throws {
        sketch.constants["parts"] = Tensor([Int64(2), 2, 3, 4, 5])
        sketch.constants["whole"] = Tensor([Int64(2), 6, 4, 5])
        try sketch.add("Reshape", ["x", "parts"], ["p"])
        try sketch.add("Transpose", ["p"], ["t"], ["perm": .integers(permutation)])
        try sketch.add("Reshape", ["t", "whole"], ["y"])
    }

    /// Two groups of three channels.
    private static func groups(
        _ sketch: inout GraphSketch, back: [Int64] = [2, 6, 4, 5], weights: [Int] = [6, 1, 1]
    ) throws {
        var noise = Noise(5)
        sketch.constants["parts"] = Tensor([Int64(0), 2, -1])
        sketch.constants["whole"] = Tensor(back)
        sketch.constants["ones"] = Tensor([Float(1), 1.5])
        sketch.constants["zeros"] = Tensor([Float(0), 0.25])
        sketch.constants["weight"] = noise.tensor(weights)
        sketch.constants["bias"] = noise.tensor(weights)
        try sketch.add("Reshape", ["x", "parts"], ["p"])
        try sketch.add("InstanceNormalization", ["p", "ones", "zeros"], ["n"], ["epsilon": .real(0.01)])
        try sketch.add("Reshape", ["n", "whole"], ["r"])
        try sketch.add("Mul", ["r", "weight"], ["m"])
        try sketch.add("Add", ["bias", "m"], ["y"])
    }

    private static let chains: [Chain] = [
        Chain(expected: ["GroupNormalization"]) { try groups(&$0) },
        // Weights that are not one for each channel stay.
        Chain(expected: ["GroupNormalization", "Mul", "Add"]) { try groups(&$0, weights: [4, 1]) },
        // Another shape than before.
        Chain(expected: nil) { try groups(&$0, back: [2, 6, 5, 4], weights: [1]) },
        Chain(expected: ["Swish"]) { sketch in
            try sketch.add("Sigmoid", ["x"], ["s"])
            try sketch.add("Mul", ["s", "x"], ["y"])
        },
        Chain(expected: nil) { sketch in
            try sketch.add("Sigmoid", ["x"], ["s"])
            try sketch.add("Mul", ["s", "s"], ["y"])
        },
        Chain(expected: ["HardSwish"]) { sketch in
            try sketch.add("HardSigmoid", ["x"], ["s"], ["alpha": .real(1.0 / 6)])
            try sketch.add("Mul", ["x", "s"], ["y"])
        },
        Chain(expected: nil) { sketch in
            try sketch.add("HardSigmoid", ["x"], ["s"])
            try sketch.add("Mul", ["x", "s"], ["y"])
        },
        Chain(expected: ["HardSwish"]) { try hardSwish(&$0) },
        Chain(expected: nil) { try hardSwish(&$0, shift: 3.1) },
        Chain(expected: nil) { try hardSwish(&$0, top: 5) },
        Chain(expected: ["Gelu"]) { try gelu(&$0, root: 1.4142135) },
        Chain(expected: nil) { try gelu(&$0, root: 1.4) },
        // The half went elsewhere.
        Chain(expected: ["Gelu", "Mul"]) { sketch in
            scalars(&sketch, ["root": 1.4142135, "one": 1])
            try sketch.add("Div", ["x", "root"], ["d"])
            try sketch.add("Erf", ["d"], ["e"])
            try sketch.add("Add", ["one", "e"], ["p"])
            try sketch.add("Mul", ["p", "x"], ["y"])
        },
        Chain(expected: ["Gather"]) { try shuffle(&$0, [0, 2, 1, 3, 4]) },
        Chain(expected: nil) { try shuffle(&$0, [0, 2, 1, 4, 3]) },
        // Both halves of a shuffle, cut at places that follow from its shape.
        Chain(expected: ["Gather"]) { sketch in
            try shuffle(&sketch, [0, 2, 1, 3, 4])
            sketch.constants["zero"] = Tensor([Int64(0)])
            sketch.constants["first"] = Tensor([Int64(1)])
            sketch.constants["two"] = Tensor([Int64(2)])
            try sketch.add("Shape", ["y"], ["shape"])
            try sketch.add("Gather", ["shape", "first"], ["count"])
            try sketch.add("Div", ["count", "two"], ["half"])
            try sketch.add("Slice", ["y", "half", "count", "first"], ["z"])
        },
    ]

    @Test(arguments: chains.indices, InstructionSet.supported)
    func `runs a chain as the operator that it spells`(_ index: Int, _ set: InstructionSet) throws {
        let chain = Self.chains[index]
        var noise = Noise(3)
        // As graph inputs, and behind a convolution.
        for isBlocked in [false, true] {
            var sketch = GraphSketch()
            sketch.input(isBlocked ? "input" : "x", chain.input.map(Dimension.known))
            if isBlocked {
                sketch.constants["w"] = noise.tensor([6, 6, 1, 1])
                try sketch.add("Conv", ["input", "w"], ["x"])
            }
            try chain.build(&sketch)
            let graph = try sketch.graph(sketch.nodes.last!.outputs.compactMap { $0 })
            let executable = try Executable(graph, options: ExecutionOptions(instructionSet: set))
            let operators = executable.computedSteps.flatMap(\.operators).filter { $0 != "Conv" }
            if let expected = chain.expected {
                #expect(operators == expected)
            } else {
                #expect(operators.count == graph.nodes.count - (isBlocked ? 1 : 0))
            }
            let inputs = [isBlocked ? "input" : "x": noise.tensor(chain.input)]
            let outputs = try Session(executable, threadCount: 2).run(inputs)
            #expect(try worstError(outputs, exactly(graph, inputs)) < 1e-5)
        }
    }

    @Test func `keeps what somebody else reads`() throws {
        var noise = Noise(3)
        var sketch = GraphSketch()
        sketch.input("x", [.known(4), .known(7)])
        try sketch.add("Sigmoid", ["x"], ["s"])
        try sketch.add("Mul", ["x", "s"], ["y"])
        let graph = try sketch.graph(["s", "y"])
        let executable = try Executable(graph)
        let inputs = ["x": noise.tensor([4, 7])]
        let outputs = try Session(executable, threadCount: 1).run(inputs)
        #expect(try worstError(outputs, exactly(graph, inputs)) < 1e-5)
    }
}
