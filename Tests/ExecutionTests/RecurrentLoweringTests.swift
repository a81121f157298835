import Execution
import Graph
import Kernels
import Tensors
import Testing

/// Recurrent layers on matrix products and cell kernels, against their evaluation.
@Suite struct RecurrentLoweringTests {
    struct Layer: Sendable, CustomTestStringConvertible {
        let type: String
        let steps: Int
        let batch: Int
        let inputSize: Int
        let hiddenSize: Int
        var direction = "forward"
        var hasBias = true
        var hasStates = true

        var testDescription: String {
            "\(direction) \(type) [\(steps),\(batch),\(inputSize)] → \(hiddenSize), bias \(hasBias), states \(hasStates)"
        }

        func graph() throws -> Graph {
            var noise = Noise(13)
            var sketch = GraphSketch()
            let directions = direction == "bidirectional" ? 2 : 1
            let gates = (type == "LSTM" ? 4 : 3) * hiddenSize
            let scale = 1 / Float(hiddenSize).squareRoot()
            sketch.input("x", [.symbol("T"), .symbol("N"), .known(inputSize)])
            sketch.constants["w"] = noise.tensor([directions, gates, inputSize], scale: scale)
            sketch.constants["r"] = noise.tensor([directions, gates, hiddenSize], scale: scale)
            sketch.constants["b"] = noise.tensor([directions, 2 * gates], scale: 0.3)
            var inputs: [String?] = ["x", "w", "r", hasBias ? "b" : nil]
            if hasStates {
                inputs.append(nil)
                for name in type == "LSTM" ? ["h", "c"] : ["h"] {
                    sketch.input(name, [.known(directions), .symbol("N"), .known(hiddenSize)])
                    inputs.append(name)
                }
            }
            var attributes: [String: Attribute] = [
                "hidden_size": .integer(Int64(hiddenSize)), "direction": .string(direction),
            ]
            if type == "GRU" { attributes["linear_before_reset"] = .integer(1) }
            let outputs = type == "LSTM" ? ["y", "yh", "yc"] : ["y", "yh"]
            try sketch.add(type, inputs, outputs, attributes)
            return try sketch.graph(outputs)
        }

        func inputs(batch: Int) -> [String: Tensor] {
            var noise = Noise(17)
            let directions = direction == "bidirectional" ? 2 : 1
            var result = ["x": noise.tensor([steps, batch, inputSize])]
            if hasStates {
                for name in type == "LSTM" ? ["h", "c"] : ["h"] {
                    result[name] = noise.tensor([directions, batch, hiddenSize])
                }
            }
            return result
        }
    }

    static let layers: [Layer] = [
        Layer(type: "LSTM", steps: 7, batch: 1, inputSize: 5, hiddenSize: 13),
        Layer(type: "LSTM", steps: 4, batch: 3, inputSize: 9, hiddenSize: 16, direction: "bidirectional"),
        Layer(
            type: "LSTM", steps: 3, batch: 14, inputSize: 33, hiddenSize: 40, direction: "reverse",
            hasBias: false),
        Layer(
            type: "LSTM", steps: 5, batch: 2, inputSize: 1, hiddenSize: 1, direction: "bidirectional",
            hasStates: false),
        Layer(type: "LSTM", steps: 0, batch: 2, inputSize: 3, hiddenSize: 5),
        Layer(type: "LSTM", steps: 2, batch: 0, inputSize: 3, hiddenSize: 5),
        Layer(type: "GRU", steps: 7, batch: 1, inputSize: 5, hiddenSize: 13),
        Layer(type: "GRU", steps: 4, batch: 9, inputSize: 9, hiddenSize: 24, direction: "bidirectional"),
        Layer(
            type: "GRU", steps: 1, batch: 2, inputSize: 7, hiddenSize: 3, direction: "reverse",
            hasStates: false),
        Layer(type: "GRU", steps: 0, batch: 2, inputSize: 3, hiddenSize: 5, hasBias: false),
    ]

    @Test(arguments: layers, InstructionSet.supported)
    func `a layer equals its evaluation`(_ layer: Layer, _ set: InstructionSet) throws {
        let graph = try layer.graph()
        let executable = try Executable(
            graph, options: ExecutionOptions(instructionSet: set, nanosecondsPerThread: 0))
        #expect(executable.stepDescriptions[0].kernel.contains("cells"))
        let inputs = layer.inputs(batch: layer.batch)
        let expected = try exactly(graph, inputs)
        for threadCount in [1, 2, 5] {
            let outputs = try Session(executable, threadCount: threadCount).run(inputs)
            #expect(try worstError(outputs, expected) < 1e-5)
        }
    }

    @Test(arguments: ["LSTM", "GRU"], InstructionSet.supported)
    func `an item has the same bits in every batch and number of threads`(
        _ type: String, _ set: InstructionSet
    ) throws {
        let layer = Layer(
            type: type, steps: 4, batch: 1, inputSize: 21, hiddenSize: 19, direction: "bidirectional",
            hasStates: false)
        let executable = try Executable(
            try layer.graph(), options: ExecutionOptions(instructionSet: set, nanosecondsPerThread: 0))
        let one = try #require(layer.inputs(batch: 1)["x"]).elements(as: Float.self)
        func lastBits(_ batch: Int, _ threadCount: Int) throws -> [[UInt32]] {
            // Every item is the same one.
            var x: [Float] = []
            for step in 0..<4 { for _ in 0..<batch { x += one[step * 21..<(step + 1) * 21] } }
            let input = try Tensor(x, shape: Shape([4, batch, 21]))
            let output = try #require(
                try Session(executable, threadCount: threadCount).run(["x": input])["yh"])
            let bits = try output.elements(as: Float.self).map(\.bitPattern)
            return (0..<2 * batch).map { Array(bits[$0 * 19..<($0 + 1) * 19]) }
        }
        let alone = try lastBits(1, 1)
        for batch in [2, 3, 8, 17] {
            for threadCount in [1, 2, 7] {
                let all = try lastBits(batch, threadCount)
                for item in 0..<batch { #expect(all[item] == alone[0] && all[batch + item] == alone[1]) }
            }
        }
    }

    @Test(arguments: [
        ("LSTM", ["clip": Attribute.real(3)]), ("LSTM", ["input_forget": .integer(1)]), ("GRU", [:]),
        ("LSTM", ["activations": .strings(["HardSigmoid", "Tanh", "Tanh"])]),
        ("LSTM", ["layout": .integer(1)]),
    ])
    func `what has no kernel runs its evaluation`(_ type: String, _ attributes: [String: Attribute]) throws {
        var noise = Noise(19)
        var sketch = GraphSketch()
        let gates = type == "LSTM" ? 8 : 6
        sketch.input("x", [.known(2), .known(2), .known(3)])
        sketch.constants["w"] = noise.tensor([1, gates, 3])
        sketch.constants["r"] = noise.tensor([1, gates, 2])
        try sketch.add(type, ["x", "w", "r"], ["y", "yh"], attributes)
        let graph = try sketch.graph(["y", "yh"])
        let executable = try Executable(graph)
        #expect(executable.stepDescriptions[0].kernel == "reference evaluation")
        let inputs = ["x": noise.tensor([2, 2, 3])]
        let outputs = try Session(executable, threadCount: 1).run(inputs)
        #expect(try worstError(outputs, exactly(graph, inputs)) < 1e-5)
    }
}
