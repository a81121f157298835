import Graph
import Tensors
import Testing

/// What ONNX Runtime's table leaves open of recurrent layers: the batch first, odd lengths, and what is refused.
@Suite struct RecurrentTests {
    private static func run(
        _ type: String, opset: Int = 14, _ attributes: [String: Attribute], _ inputs: [ExactTensor?]
    ) throws -> [ExactTensor] {
        let outputs = type == "LSTM" ? 3 : 2
        return try makeNode(type, opset: opset, attributes, inputs: inputs.count, outputs: outputs).operation
            .evaluate(inputs, outputCount: outputs)
    }

    /// Elements that differ, all small.
    private static func wave(_ dimensions: Int...) throws -> ExactTensor {
        let count = dimensions.reduce(1, *)
        return try tensor(dimensions, (0..<count).map { Double(($0 * 7) % 11) / 11 - 0.4 })
    }

    struct Refusal: Sendable, CustomTestStringConvertible {
        let type: String
        var opset = 14
        var attributes: [String: Attribute] = [:]
        let inputs: [ValueInfo?]
        let message: String
        var testDescription: String { message }
    }

    private static let x = info("T", "N", 3)

    static let refusals: [Refusal] = [
        Refusal(
            type: "LSTM", inputs: [x, info(1, 8, 4), info(1, 8, 2)],
            message: "LSTM: W float32[1,8,4] has an extent of 4, expected 3"),
        Refusal(
            type: "LSTM", inputs: [x, info(1, 6, 3), info(1, 6, 2)],
            message: "LSTM: W float32[1,6,3] has an extent of 6, expected 8"),
        Refusal(
            type: "GRU", attributes: ["direction": .string("bidirectional")],
            inputs: [x, info(1, 6, 3), info(1, 6, 2)],
            message: "GRU: W float32[1,6,3] has an extent of 1, expected 2"),
        Refusal(
            type: "RNN", attributes: ["hidden_size": .integer(5)], inputs: [x, info(1, 2, 3), info(1, 2, 2)],
            message: "RNN: R is for a hidden size of 2, hidden_size says 5"),
        Refusal(
            type: "RNN", attributes: ["direction": .string("backward")], inputs: [x, x, x],
            message:
                "RNN: attribute 'direction' is 'backward', expected one of forward, reverse, bidirectional"),
        Refusal(
            type: "LSTM", attributes: ["activations": .strings(["Tanh"])], inputs: [x, x, x],
            message: "LSTM: attribute 'activations' has 1, expected 3"),
        Refusal(
            type: "RNN", attributes: ["activations": .strings(["Sine"])], inputs: [x, x, x],
            message: "RNN: attribute 'activations' has 'Sine', which is not known"),
        Refusal(
            type: "GRU", attributes: ["clip": .real(-1)], inputs: [x, x, x],
            message: "GRU: attribute 'clip' is -1.0"),
        Refusal(
            type: "GRU", opset: 13, attributes: ["layout": .integer(1)], inputs: [x, x, x],
            message: "GRU: attribute 'layout' is not known in opset 13"),
        Refusal(
            type: "LSTM", inputs: [x, info(1, 8, 3), info(1, 8, 2), info(1, 8)],
            message: "LSTM: B float32[1,8] has an extent of 8, expected 16"),
        Refusal(
            type: "LSTM", inputs: [x, info(1, 8, 3), info(1, 8, 2), nil, nil, nil, nil, info(1, 8)],
            message: "LSTM: P float32[1,8] has an extent of 8, expected 6"),
        Refusal(
            type: "RNN", inputs: [info(4, 2, 3), info(1, 2, 3), info(1, 2, 2), nil, vector(4, 4)],
            message: "RNN: sequence_lens has element type int64, expected int32"),
        Refusal(
            type: "RNN", inputs: [info(4, 2, 3), info(1, 2, 3), info(1, 2, 2), nil, nil, info(1, 3, 2)],
            message: "RNN: initial_h float32[1,3,2] has an extent of 3, expected 2"),
    ]

    @Test(arguments: refusals) func `says`(_ item: Refusal) {
        let error = #expect(throws: GraphError.self) {
            let node = try makeNode(item.type, opset: item.opset, item.attributes, inputs: item.inputs.count)
            _ = try node.operation.inferOutputs(item.inputs, outputCount: 1)
        }
        #expect(error?.description == item.message)
    }

    @Test(arguments: [("LSTM", 4), ("GRU", 3), ("RNN", 1)])
    func `with the batch first, the same states come in another order`(type: String, gates: Int) throws {
        let (steps, batch, inner, hidden) = (3, 2, 4, 5)
        let weights = [
            try Self.wave(2, gates * hidden, inner), try Self.wave(2, gates * hidden, hidden),
            try Self.wave(2, 2 * gates * hidden),
        ]
        let x = try Self.wave(steps, batch, inner)
        let lengths = try tensor([2], [3, 2], .int32)
        let initial = try Self.wave(2, batch, hidden)
        func swapped(_ tensor: ExactTensor) throws -> ExactTensor {
            let transpose = try makeNode("Transpose", ["perm": .integers([1, 0, 2])], inputs: 1).operation
            return try transpose.evaluate([tensor], outputCount: 1)[0]
        }
        let direction = ["direction": Attribute.string("bidirectional")]
        let plain = try Self.run(type, direction, [x] + weights + [lengths, initial])
        let other = try Self.run(
            type, direction.merging(["layout": .integer(1)]) { $1 },
            [swapped(x)] + weights + [lengths, swapped(initial)])
        #expect(other[0].shape == (try Shape([batch, steps, 2, hidden])))
        for (one, two) in zip(plain.dropFirst(), other.dropFirst()) {
            #expect(try swapped(one).reals == two.reals)
        }
        // Y[t, d, n, h] is Y[n, t, d, h].
        let (ys, swappedYs) = (try #require(plain[0].reals), try #require(other[0].reals))
        for t in 0..<steps {
            for d in 0..<2 {
                for n in 0..<batch {
                    for h in 0..<hidden {
                        #expect(
                            ys[((t * 2 + d) * batch + n) * hidden + h]
                                == swappedYs[((n * steps + t) * 2 + d) * hidden + h])
                    }
                }
            }
        }
    }

    @Test(arguments: [("LSTM", 4), ("GRU", 3), ("RNN", 1)])
    func `a sequence that is over keeps its state, and its outputs are 0`(type: String, gates: Int) throws {
        let weights = [try Self.wave(1, gates * 2, 3), try Self.wave(1, gates * 2, 2)]
        let x = try Self.wave(3, 2, 3)
        let initial = try Self.wave(1, 2, 2)
        for direction in ["forward", "reverse"] {
            let attributes = ["direction": Attribute.string(direction)]
            let results = try Self.run(
                type, attributes, [x] + weights + [nil, tensor([2], [0, 1], .int32), initial])
            let y = try #require(results[0].reals)
            #expect(y[..<2] == [0, 0])
            #expect(y[4...].allSatisfy { $0 == 0 })
            let states = try #require(results[1].reals)
            #expect(Array(states[..<2]) == Array(try #require(initial.reals)[..<2]))
            #expect(Array(states[2...]) == Array(y[2..<4]))
        }
    }

    @Test func `a length outside the steps is refused`() throws {
        for length in [-1.0, 4] {
            let error = #expect(throws: GraphError.self) {
                try Self.run(
                    "RNN", [:],
                    [
                        Self.wave(3, 1, 2), Self.wave(1, 2, 2), Self.wave(1, 2, 2), nil,
                        tensor([1], [length], .int32),
                    ])
            }
            #expect(error?.description == "RNN: a sequence has a length of \(Int(length)), X has 3 steps")
        }
    }

    @Test func `without steps the last state is the first one`() throws {
        let empty = try tensor([0, 1, 2], [])
        let results = try Self.run(
            "RNN", [:],
            [empty, Self.wave(1, 2, 2), Self.wave(1, 2, 2), nil, nil, tensor([1, 1, 2], [3, 4])])
        #expect(results[0].shape == (try Shape([0, 1, 1, 2])))
        #expect(results[1].reals == [3, 4])
    }

    @Test func `an axis longer than any array is not walked along`() throws {
        let (huge, none) = (try Shape([1 << 40, 0, 2]), try Shape([0, 1 << 40, 2]))
        let weights = [try Self.wave(1, 2, 2), try Self.wave(1, 2, 2)]
        let steps = ExactTensor(reals: [], shape: huge, elementType: .float32)
        #expect(try Self.run("RNN", [:], [steps] + weights)[1].shape == Shape([1, 0, 2]))
        let batch = ExactTensor(reals: [], shape: none, elementType: .float32)
        #expect(throws: GraphError.self) { try Self.run("RNN", [:], [batch] + weights) }
    }

    @Test func `each function takes its own values, and its own defaults after them`() throws {
        // H' = φ(x), as the weights of X are 1 and those of H 0.
        func value(_ name: String, _ x: Double, alpha: [Float] = [], beta: [Float] = []) throws -> Double {
            let one = try tensor([1, 1, 1], [1])
            let results = try Self.run(
                "RNN",
                [
                    "activations": .strings([name]), "activation_alpha": .reals(alpha),
                    "activation_beta": .reals(beta),
                ],
                [tensor([1, 1, 1], [x]), one, tensor([1, 1, 1], [0])])
            return try #require(results[1].reals?.first)
        }
        #expect(try value("Affine", 3, alpha: [2], beta: [1]) == 7)
        #expect(try value("Affine", 3) == 3)
        #expect(try value("LeakyRelu", -1, alpha: [0.5]) == -0.5)
        #expect(abs(try value("LeakyRelu", -1) + 0.01) < 1e-9)
        #expect(try value("ThresholdedRelu", 0.75) == 0)
        #expect(try value("ThresholdedRelu", 1) == 1)
        #expect(try value("HardSigmoid", 9) == 1)
        #expect(try value("relu", -3) == 0)
        #expect(try value("Softsign", 1) == 0.5)
    }

    @Test func `the other states are not computed when nobody asks for them`() throws {
        let inputs = [try Self.wave(2, 1, 2), try Self.wave(1, 8, 2), try Self.wave(1, 8, 2)]
        let node = try makeNode("LSTM", opset: 14, inputs: 3, outputs: 1)
        #expect(try node.operation.evaluate(inputs, outputCount: 1).count == 1)
        let symbolic = try node.operation.inferOutputs(
            [info("T", "N", 2), info(1, 8, 2), info(1, 8, 2)], outputCount: 3)
        #expect(symbolic.map(\.description) == ["float32[T,1,N,2]", "float32[1,N,2]", "float32[1,N,2]"])
    }
}
