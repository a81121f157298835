import Execution
import Graph
import Kernels
import Tensors
import Testing

/// One node with constant parameters, as a test argument: what goes in, and what the node says.
struct NodeCase: Sendable, CustomTestStringConvertible {
    let type: String
    /// The shapes of computed inputs; they come first.
    var inputs: [[Int]]
    /// Shapes of random constants, behind them.
    var constants: [[Int]] = []
    /// Integer constants, behind those.
    var integers: [[Int64]] = []
    var attributes: [String: Attribute] = [:]
    var outputCount = 1
    var opset = 17

    var testDescription: String { "\(type) \(inputs) \(constants) \(integers) \(attributes)" }

    func graph() throws -> Graph {
        var noise = Noise(31)
        var sketch = GraphSketch(opset: opset)
        var names: [String] = []
        for (index, shape) in inputs.enumerated() {
            names.append("x\(index)")
            sketch.input(names[index], shape.map(Dimension.known))
        }
        for (index, shape) in constants.enumerated() {
            names.append("c\(index)")
            sketch.constants["c\(index)"] = noise.tensor(shape)
        }
        for (index, values) in integers.enumerated() {
            names.append("i\(index)")
            sketch.constants["i\(index)"] = Tensor(values)
        }
        let outputs = (0..<outputCount).map { "y\($0)" }
        try sketch.add(type, names, outputs, attributes)
        return try sketch.graph(outputs)
    }

    /// Holds the lowered node against the reference, on one thread and on two.
    func check(_ set: InstructionSet) throws {
        let graph = try graph()
        let executable = try Executable(
            graph, options: ExecutionOptions(instructionSet: set, nanosecondsPerThread: 0))
        #expect(executable.stepDescriptions[0].kernel != "reference evaluation")
        var noise = Noise(41)
        var tensors: [String: Tensor] = [:]
        for (index, shape) in inputs.enumerated() { tensors["x\(index)"] = noise.tensor(shape) }
        let expected = try exactly(graph, tensors)
        for threadCount in [1, 2] {
            let outputs = try Session(executable, threadCount: threadCount).run(tensors)
            #expect(try worstError(outputs, expected) < 1e-5)
        }
    }
}

@Suite struct LoweringTests {
    private static let elementwise: [NodeCase] =
        ["Relu", "Sigmoid", "Tanh", "HardSwish"].flatMap { (name: String) -> [NodeCase] in
            [[1], [7], [3, 5], [2, 17, 33], [20_000]].map { NodeCase(type: name, inputs: [$0]) }
        } + [
            NodeCase(
                type: "Clip", inputs: [[5, 33]], attributes: ["min": .real(-0.5), "max": .real(0.25)],
                opset: 10)
        ]

    @Test(arguments: elementwise, InstructionSet.supported)
    func `functions of one value`(_ c: NodeCase, _ set: InstructionSet) throws { try c.check(set) }

    private static let binary: [NodeCase] = ["Add", "Sub", "Mul", "Div"].flatMap {
        (name: String) -> [NodeCase] in
        [
            NodeCase(type: name, inputs: [[3, 17], [3, 17]]),
            NodeCase(type: name, inputs: [[2, 5, 7, 3], [5, 1, 1]]),
            NodeCase(type: name, inputs: [[2, 5, 1, 1], [2, 5, 7, 9]]),
            NodeCase(type: name, inputs: [[4, 1], [1, 33]]),
            NodeCase(type: name, inputs: [[2, 1, 3, 1], [1, 4, 1, 5]]),
            NodeCase(type: name, inputs: [[6, 19]], constants: [[19]]),
            NodeCase(type: name, inputs: [[6, 19], []]),
            NodeCase(type: name, inputs: [[1], [40_000]]),
        ]
    }

    @Test(arguments: binary, InstructionSet.supported)
    func `functions of two values, broadcast`(_ c: NodeCase, _ set: InstructionSet) throws {
        try c.check(set)
    }

    private static let products: [NodeCase] = [
        NodeCase(type: "Gemm", inputs: [[1, 17]], constants: [[17, 33]]),
        NodeCase(
            type: "Gemm", inputs: [[1, 300]], constants: [[70, 300], [70]],
            attributes: ["transB": .integer(1)]),
        NodeCase(
            type: "Gemm", inputs: [[17, 5]], constants: [[17, 9], [1, 9]],
            attributes: ["transA": .integer(1), "alpha": .real(0.5), "beta": .real(2)]),
        NodeCase(type: "Gemm", inputs: [[7, 13], [13, 21]]),
        NodeCase(
            type: "Gemm", inputs: [[13, 7], [21, 13]],
            attributes: ["transA": .integer(1), "transB": .integer(1)]),
        NodeCase(type: "Gemm", inputs: [[13, 1], [13, 21]], attributes: ["transA": .integer(1)]),
        NodeCase(type: "Gemm", inputs: [[150, 700]], constants: [[700, 300]]),
        NodeCase(type: "MatMul", inputs: [[5]], constants: [[5, 3]]),
        NodeCase(type: "MatMul", inputs: [[2, 3, 4, 5]], constants: [[5, 3]]),
        NodeCase(type: "MatMul", inputs: [[2, 1, 4, 5], [3, 5, 6]]),
        NodeCase(type: "MatMul", inputs: [[4, 330], [2, 3, 330, 37]]),
        NodeCase(type: "MatMul", inputs: [[2, 1, 5], [2, 5, 17]]),
        NodeCase(type: "MatMul", inputs: [[0, 5]], constants: [[5, 3]]),
    ]
    // Every height of a tile, and columns that end anywhere in a panel: rows as they lie, and packed.
    private static let tiles: [NodeCase] = (1...29).flatMap { rows in
        let columns = [5, 16, 23, 32, 43, 64, 71, 96, 130][rows % 9]
        return [
            NodeCase(type: "MatMul", inputs: [[rows, 19]], constants: [[19, columns]]),
            NodeCase(
                type: "Gemm", inputs: [[11, rows]], constants: [[11, columns], [columns]],
                attributes: ["transA": .integer(1)]),
        ]
    }

    @Test(arguments: products + tiles, InstructionSet.supported)
    func `matrix products`(_ c: NodeCase, _ set: InstructionSet) throws { try c.check(set) }

    @Test(
        arguments: InstructionSet.supported,
        [([24], 1), ([1, 1, 24], 1), ([1], 1), ([7, 1], 2), ([1, 2, 7, 24], 2)])
    func `a product takes the row that is added, and the function behind it`(
        _ set: InstructionSet, _ bias: (shape: [Int], stepCount: Int)
    ) throws {
        var noise = Noise(8)
        var sketch = GraphSketch(opset: 20)
        sketch.input("x", [2, 7, 300].map(Dimension.known))
        sketch.constants["w"] = noise.tensor([300, 24], scale: 0.1)
        sketch.constants["b"] = noise.tensor(bias.shape)
        try sketch.add("MatMul", ["x", "w"], ["p"])
        try sketch.add("Add", ["b", "p"], ["s"])
        try sketch.add("Gelu", ["s"], ["y"])
        let graph = try sketch.graph(["y"])
        let executable = try Executable(graph, options: ExecutionOptions(instructionSet: set))
        #expect(executable.stepDescriptions.count == bias.stepCount)
        let inputs = ["x": noise.tensor([2, 7, 300])]
        let expected = try exactly(graph, inputs)
        #expect(try worstError(Session(executable, threadCount: 2).run(inputs), expected) < 1e-5)
    }

    private static let pools: [NodeCase] = ["MaxPool", "AveragePool"].flatMap {
        (name: String) -> [NodeCase] in
        [
            NodeCase(type: name, inputs: [[2, 3, 9, 11]], attributes: ["kernel_shape": .integers([2, 2])]),
            NodeCase(
                type: name, inputs: [[1, 5, 40, 71]],
                attributes: [
                    "kernel_shape": .integers([3, 3]), "strides": .integers([2, 2]),
                    "pads": .integers([1, 1, 1, 1]),
                ]),
            NodeCase(
                type: name, inputs: [[1, 2, 7, 7]],
                attributes: [
                    "kernel_shape": .integers([3, 2]), "strides": .integers([2, 3]),
                    "pads": .integers([0, 1, 2, 1]),
                    "ceil_mode": .integer(1),
                ]),
            NodeCase(
                type: name, inputs: [[2, 3, 13]],
                attributes: ["kernel_shape": .integers([4]), "auto_pad": .string("SAME_LOWER")]),
            NodeCase(
                type: name, inputs: [[1, 2, 5, 6, 7]],
                attributes: ["kernel_shape": .integers([2, 3, 2]), "strides": .integers([1, 2, 1])]),
            NodeCase(
                type: name, inputs: [[1, 2, 6, 6]],
                attributes: [
                    "kernel_shape": .integers([3, 3]), "pads": .integers([1, 1, 1, 1]),
                    "strides": .integers([2, 2]),
                    "ceil_mode": .integer(1),
                ].merging(name == "AveragePool" ? ["count_include_pad": .integer(1)] : [:]) { $1 }),
        ]
    }

    @Test(arguments: pools, InstructionSet.supported)
    func `pools of every rank`(_ c: NodeCase, _ set: InstructionSet) throws { try c.check(set) }

    @Test(arguments: InstructionSet.supported)
    func `normalizations, means and joins`(_ set: InstructionSet) throws {
        let cases = [
            NodeCase(type: "GlobalAveragePool", inputs: [[2, 3, 7, 9]]),
            NodeCase(type: "GlobalAveragePool", inputs: [[2, 33, 1]]),
            NodeCase(
                type: "Concat", inputs: [[2, 3, 4], [2, 1, 4], [2, 5, 4]], attributes: ["axis": .integer(1)]),
            NodeCase(type: "Concat", inputs: [[2, 3], [2, 7]], attributes: ["axis": .integer(-1)]),
            NodeCase(type: "Concat", inputs: [[2, 3], [5, 3]], attributes: ["axis": .integer(0)]),
        ]
        for c in cases { try c.check(set) }
    }

    @Test(arguments: InstructionSet.supported, [[2, 5], [2, 5, 7], [1, 5, 3, 11]])
    func `affines along a channel axis`(_ set: InstructionSet, _ shape: [Int]) throws {
        var sketch = GraphSketch()
        sketch.input("x", shape.map(Dimension.known))
        var noise = Noise(2)
        for name in ["gamma", "beta", "mean"] { sketch.constants[name] = noise.tensor([5]) }
        sketch.constants["variance"] = Tensor([Float(0.5), 1, 2, 0.1, 4])
        try sketch.add("BatchNormalization", ["x", "gamma", "beta", "mean", "variance"], ["n"])
        try sketch.add("Relu", ["n"], ["y"])
        let graph = try sketch.graph(["y"])
        let executable = try Executable(
            graph, options: ExecutionOptions(instructionSet: set, nanosecondsPerThread: 0))
        #expect(executable.stepDescriptions.count == 1)
        let inputs = ["x": noise.tensor(shape)]
        #expect(
            try worstError(Session(executable, threadCount: 2).run(inputs), exactly(graph, inputs)) < 1e-5)
    }

    @Test(arguments: InstructionSet.supported, ["Sigmoid", "Tanh", "Erf", "Gelu", "Swish", "Exp"])
    func `smooth functions over their whole range`(_ set: InstructionSet, _ type: String) throws {
        let count = 4001
        let values = (0..<count).map { Float($0 - count / 2) * (type == "Exp" ? 0.001 : 0.05) }
        var sketch = GraphSketch(opset: 24)
        sketch.input("x", [.known(count)])
        try sketch.add(type, ["x"], ["y"])
        let graph = try sketch.graph(["y"])
        let executable = try Executable(graph, options: ExecutionOptions(instructionSet: set))
        #expect(executable.stepDescriptions[0].kernel != "reference evaluation")
        let inputs = ["x": Tensor(values)]
        let outputs = try Session(executable, threadCount: 1).run(inputs)
        let ours = try #require(outputs["y"]).elements(as: Float.self)
        let theirs = try #require(exactly(graph, inputs)["y"]?.reals)
        for (index, x) in values.enumerated() {
            // A gate that is nearly 0 is multiplied with x.
            #expect(abs(Double(ours[index]) - theirs[index]) < 4e-7 * max(1, Double(abs(x))), "\(x)")
        }
    }

    @Test(arguments: InstructionSet.supported) func `NaN and infinities go through as in the reference`(
        _ set: InstructionSet
    ) throws {
        let values: [Float] = [.nan, .infinity, -.infinity, 0, -0.0, 100, -100, 1e-30, 88.9, -104, .nan, 3]
        for name in ["Relu", "Sigmoid", "Tanh", "HardSwish", "Erf", "Gelu", "Swish"] {
            var sketch = GraphSketch(opset: 24)
            sketch.input("x", [.known(values.count)])
            try sketch.add(name, ["x"], ["y"])
            let graph = try sketch.graph(["y"])
            let executable = try Executable(
                graph, options: ExecutionOptions(instructionSet: set, nanosecondsPerThread: 0))
            let inputs = ["x": Tensor(values)]
            let outputs = try Session(executable, threadCount: 1).run(inputs)
            let ours = try #require(outputs["y"]).elements(as: Float.self)
            let theirs = try #require(exactly(graph, inputs)["y"]?.reals)
            for (x, y) in zip(ours, theirs) {
                #expect(
                    (x.isNaN && y.isNaN) || Double(x) == y || abs(Double(x) - y) < 1e-5, "\(name): \(x), \(y)"
                )
            }
        }
    }
}
