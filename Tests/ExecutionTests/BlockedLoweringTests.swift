import Execution
import Graph
import Kernels
import Tensors
import Testing

/// What follows a convolution, so that it reads blocked values: "b" [N, channels, extents], and "c" of the same shape.
struct BlockedCase: Sendable, CustomTestStringConvertible {
    let testDescription: String
    var channels = 19
    var extents = [9, 11]
    /// How many steps copy a value into another layout, those of the graph's input and output left out.
    var reorders = 0
    /// What the name of a kernel ends with.
    var kernel = ""
    let build: @Sendable (inout GraphSketch, inout Noise) throws -> Void

    static let batch = 2

    func graph() throws -> Graph {
        var noise = Noise(17)
        var sketch = GraphSketch()
        sketch.input("x", [.symbol("N"), .known(3)] + extents.map(Dimension.known))
        for name in ["b", "c"] {
            sketch.constants["w" + name] = noise.tensor(
                [channels, 3] + extents.map { _ in 1 }, scale: 0.5)
            try sketch.add("Conv", ["x", "w" + name], [name])
        }
        try build(&sketch, &noise)
        return try sketch.graph(["y"])
    }

    func check(_ set: InstructionSet) throws {
        let graph = try graph()
        let executable = try Executable(graph, options: ExecutionOptions(instructionSet: set))
        #expect(executable.stepDescriptions.allSatisfy { $0.kernel != "reference evaluation" })
        #expect(executable.stepDescriptions.contains { $0.kernel.hasSuffix(kernel) })
        let copied = executable.stepDescriptions.filter { $0.kernel.hasPrefix("reorder") }
            .filter { !$0.inputs.contains { $0.name == "x" } && !$0.inputs.contains { $0.name == "y" } }
        #expect(copied.count == reorders, "\(copied.flatMap { $0.inputs.map(\.name) })")
        var noise = Noise(23)
        let inputs = ["x": noise.tensor([Self.batch, 3] + extents)]
        let expected = try exactly(graph, inputs)
        for threadCount in [1, 2] {
            let outputs = try Session(executable, threadCount: threadCount).run(inputs)
            #expect(try worstError(outputs, expected) < 1e-5)
        }
    }
}

@Suite struct BlockedLoweringTests {
    /// A convolution in groups of so many input and output channels; of one: a depthwise one. With `head`, a pointwise
    /// convolution and that function are in front, all in one step.
    private static func depthwise(
        _ channels: Int, _ extents: [Int], kernel: [Int], strides: Int = 1, dilations: Int = 1,
        pads: [Int]? = nil, groupChannels: Int = 1, hasBias: Bool = true, head: String? = nil,
        tail: [String] = []
    ) -> BlockedCase {
        BlockedCase(
            testDescription:
                "\(channels) in groups of \(groupChannels) \(extents) k\(kernel) s\(strides) d\(dilations) "
                + "p\(pads ?? []) \(tail)",
            channels: channels, extents: extents,
            kernel: head.map { head in ", blocked" + ([head] + tail).map { " + " + $0 }.joined() } ?? ""
        ) { sketch, noise in
            sketch.constants["w"] = noise.tensor([channels, groupChannels] + kernel, scale: 0.3)
            sketch.constants["bias"] = noise.tensor([channels])
            if let head {
                sketch.constants["pointwise"] = noise.tensor([channels, channels, 1, 1], scale: 0.2)
                try sketch.add("Conv", ["b", "pointwise", "bias"], ["p"])
                try sketch.add(head, ["p"], ["h"])
            }
            try sketch.add(
                "Conv", [head == nil ? "b" : "h", "w"] + (hasBias ? ["bias"] : []),
                [tail.isEmpty ? "y" : "t0"],
                [
                    "group": .integer(Int64(channels / groupChannels)),
                    "strides": .integers(kernel.map { _ in Int64(strides) }),
                    "dilations": .integers(kernel.map { _ in Int64(dilations) }),
                    "pads": .integers(
                        (pads ?? kernel.map { _ in 0 } + kernel.map { _ in 0 }).map { Int64($0) }),
                ])
            for (index, type) in tail.enumerated() {
                try sketch.add(
                    type, type == "Add" ? ["c", "t\(index)"] : ["t\(index)"],
                    [index == tail.count - 1 ? "y" : "t\(index + 1)"])
            }
        }
    }

    private static let depthwiseCases = [
        depthwise(16, [7, 7], kernel: [3, 3], pads: [1, 1, 1, 1]),
        depthwise(19, [14, 15], kernel: [3, 3], strides: 2, pads: [0, 1, 1, 0], hasBias: false),
        depthwise(33, [8, 30], kernel: [5, 5], pads: [2, 2, 2, 2], tail: ["Relu"]),
        depthwise(17, [13, 29], kernel: [5, 5], strides: 2, pads: [2, 2, 2, 2]),
        depthwise(18, [7, 7], kernel: [7, 7], pads: [3, 3, 3, 3], tail: ["Add", "HardSwish"]),
        depthwise(20, [3, 2], kernel: [3, 3], pads: [1, 1, 1, 1], tail: ["Add"]),
        depthwise(20, [10, 12], kernel: [3, 3], dilations: 2, pads: [2, 2, 2, 2]),
        depthwise(20, [10, 12], kernel: [2, 4], strides: 3, pads: [1, 2, 0, 3]),
        depthwise(40, [12, 14], kernel: [3, 3], pads: [1, 1, 1, 1], head: "HardSwish", tail: ["Relu"]),
        depthwise(
            35, [13, 9], kernel: [5, 5], strides: 2, pads: [2, 2, 2, 2], head: "Sigmoid", tail: ["HardSwish"]),
        depthwise(21, [23], kernel: [3], strides: 1, pads: [1, 1]),
        depthwise(16, [5, 6, 7], kernel: [3, 2, 3], pads: [1, 0, 1, 1, 1, 1]),
        depthwise(16, [6, 5, 9], kernel: [3, 3, 3], strides: 2, pads: [1, 1, 1, 1, 1, 1]),
        depthwise(16, [5, 4], kernel: [3, 3], pads: [4, 5, 6, 4]),
        depthwise(16, [4, 4], kernel: [7, 7], pads: [3, 3, 3, 3]),
        depthwise(32, [9, 12], kernel: [3, 3], strides: 2, pads: [1, 2, 1, 2]),
        depthwise(16, [6, 9], kernel: [3, 3], pads: [0, 2, 1, 2]),
        depthwise(16, [6, 9], kernel: [3, 3], pads: [0, 1, 1, 4]),
        depthwise(16, [6, 9], kernel: [5, 5], strides: 2, pads: [2, 4, 2, 9]),
    ]

    @Test(arguments: depthwiseCases, InstructionSet.supported)
    func `depthwise convolutions`(_ c: BlockedCase, _ set: InstructionSet) throws { try c.check(set) }

    private static let groupCases = [
        depthwise(16, [7, 7], kernel: [3, 3], pads: [1, 1, 1, 1], groupChannels: 8),
        depthwise(
            24, [14, 15], kernel: [3, 3], strides: 2, pads: [0, 1, 1, 0], groupChannels: 8, hasBias: false),
        depthwise(40, [9, 29], kernel: [3, 3], pads: [1, 1, 1, 1], groupChannels: 4, tail: ["Relu"]),
        depthwise(36, [8, 12], kernel: [3, 3], strides: 2, pads: [1, 2, 1, 2], groupChannels: 2),
        depthwise(
            18, [7, 9], kernel: [5, 5], pads: [2, 2, 2, 2], groupChannels: 2, tail: ["Add", "HardSwish"]),
        depthwise(24, [3, 2], kernel: [3, 3], pads: [1, 1, 1, 1], groupChannels: 4, tail: ["Add"]),
        depthwise(32, [10, 12], kernel: [3, 3], dilations: 2, pads: [2, 2, 2, 2], groupChannels: 8),
        depthwise(24, [23], kernel: [3], pads: [1, 1], groupChannels: 2),
        depthwise(16, [5, 6, 7], kernel: [3, 2, 3], pads: [1, 0, 1, 1, 1, 1], groupChannels: 4),
        depthwise(16, [5, 4], kernel: [3, 3], pads: [4, 5, 6, 4], groupChannels: 8),
        depthwise(16, [15, 6], kernel: [3, 3], pads: [1, 1, 1, 1], groupChannels: 2, head: "Relu"),
        depthwise(24, [6, 7], kernel: [1, 1], groupChannels: 4),
    ]

    @Test(arguments: groupCases, InstructionSet.supported)
    func `convolutions in small groups`(_ c: BlockedCase, _ set: InstructionSet) throws {
        // Where a group fills vectors, tiles of dense sums compute it.
        try c.check(set)
    }

    private static let pools: [BlockedCase] = ["MaxPool", "AveragePool"].flatMap { type in
        let attributes: [([Int], [String: Attribute])] = [
            ([9, 11], ["kernel_shape": .integers([2, 2]), "strides": .integers([2, 2])]),
            ([20, 13], ["kernel_shape": .integers([3, 3]), "pads": .integers([1, 1, 1, 1])]),
            (
                [12, 12],
                [
                    "kernel_shape": .integers([3, 3]), "strides": .integers([2, 2]),
                    "pads": .integers([1, 1, 1, 1]), "ceil_mode": .integer(1),
                ]
            ),
            ([7, 9], ["kernel_shape": .integers([3, 2]), "strides": .integers([2, 3])]),
            ([13], ["kernel_shape": .integers([4]), "auto_pad": .string("SAME_LOWER")]),
            ([5, 6, 7], ["kernel_shape": .integers([2, 3, 2]), "strides": .integers([1, 2, 1])]),
        ]
        return attributes.map { extents, attributes in
            BlockedCase(
                testDescription: "\(type) \(extents) \(attributes)", extents: extents
            ) { sketch, _ in
                try sketch.add(type, ["b"], ["y"], attributes)
            }
        }
    }

    @Test(arguments: pools, InstructionSet.supported)
    func `pools of every rank`(_ c: BlockedCase, _ set: InstructionSet) throws { try c.check(set) }

    @Test(arguments: InstructionSet.supported) func `means over all pixels`(_ set: InstructionSet) throws {
        for channels in [16, 35] {
            for type in ["GlobalAveragePool", "ReduceMean"] {
                let c = BlockedCase(testDescription: type, channels: channels) { sketch, _ in
                    try sketch.add(
                        type, ["b"], ["y"],
                        type == "ReduceMean" ? ["axes": .integers([2, -1]), "keepdims": .integer(0)] : [:])
                }
                try c.check(set)
            }
        }
    }

    private static let elementwise: [BlockedCase] = [
        BlockedCase(testDescription: "functions") { sketch, _ in
            try sketch.add("Sigmoid", ["b"], ["s"])
            try sketch.add("Exp", ["s"], ["e"])
            try sketch.add("Tanh", ["e"], ["y"])
        },
        BlockedCase(testDescription: "two of the same shape") { sketch, _ in
            try sketch.add("Relu", ["b"], ["r"])
            try sketch.add("Sub", ["r", "c"], ["s"])
            try sketch.add("Mul", ["b", "s"], ["m"])
            try sketch.add("Max", ["m", "r"], ["y"])
        },
        BlockedCase(testDescription: "a gate for each channel") { sketch, noise in
            sketch.constants["w"] = noise.tensor([19, 19, 1, 1], scale: 0.3)
            try sketch.add("GlobalAveragePool", ["b"], ["g"])
            try sketch.add("Conv", ["g", "w"], ["f"])
            try sketch.add("HardSigmoid", ["f"], ["s"])
            try sketch.add("Mul", ["s", "b"], ["m"])
            try sketch.add("Relu", ["m"], ["y"])
        },
        BlockedCase(testDescription: "constants for each channel") { sketch, noise in
            sketch.constants["k"] = noise.tensor([19, 1, 1])
            sketch.constants["l"] = noise.tensor([1, 19, 1, 1])
            sketch.constants["m"] = Tensor([Float(3)])
            try sketch.add("Sub", ["k", "b"], ["p"])
            try sketch.add("Mul", ["p", "l"], ["q"])
            try sketch.add("Div", ["q", "m"], ["r"])
            try sketch.add("Add", ["m", "r"], ["t"])
            try sketch.add("HardSwish", ["t"], ["y"])
        },
        BlockedCase(testDescription: "normalization") { sketch, noise in
            for name in ["gamma", "beta", "mean"] { sketch.constants[name] = noise.tensor([19]) }
            sketch.constants["variance"] = try Tensor(
                [Float](repeating: 0.7, count: 19), shape: Shape([19]))
            try sketch.add("MaxPool", ["b"], ["p"], ["kernel_shape": .integers([2, 2])])
            try sketch.add("BatchNormalization", ["p", "gamma", "beta", "mean", "variance"], ["n"])
            try sketch.add("Relu", ["n"], ["y"])
        },
        // A float for each pixel is left to the plain operation.
        BlockedCase(testDescription: "a mask", reorders: 1) { sketch, noise in
            sketch.constants["k"] = noise.tensor([9, 11])
            try sketch.add("Mul", ["b", "k"], ["y"])
        },
    ]

    @Test(arguments: elementwise, InstructionSet.supported)
    func `functions of one value and of two`(_ c: BlockedCase, _ set: InstructionSet) throws {
        try c.check(set)
    }

    private static func normalized(
        _ groups: Int64, _ channels: Int, _ extents: [Int], tail: String? = nil
    ) -> BlockedCase {
        BlockedCase(
            testDescription: "\(channels) \(extents) in \(groups) groups \(tail ?? "")", channels: channels,
            extents: extents, kernel: "group normalization, blocked" + (tail.map { " + \($0)" } ?? "")
        ) { sketch, noise in
            sketch.constants["scale"] = noise.tensor([channels])
            sketch.constants["bias"] = noise.tensor([channels])
            let output = tail == nil ? "y" : "n"
            if groups == channels {
                try sketch.add("InstanceNormalization", ["b", "scale", "bias"], [output])
            } else {
                sketch.opset = 21
                try sketch.add(
                    "GroupNormalization", ["b", "scale", "bias"], [output], ["num_groups": .integer(groups)])
            }
            if let tail { try sketch.add(tail, ["n"], ["y"]) }
        }
    }

    private static let normalizations = [
        normalized(1, 19, [9, 11]), normalized(19, 19, [9, 11], tail: "Relu"),
        normalized(4, 64, [7, 7], tail: "HardSwish"), normalized(5, 35, [6, 5, 3]), normalized(8, 24, [30]),
        // More pixels than the moments of one piece.
        normalized(2, 18, [40, 41]), normalized(3, 48, [33, 100], tail: "Relu"),
    ]

    @Test(arguments: normalizations, InstructionSet.supported)
    func `normalizations by groups of channels`(_ c: BlockedCase, _ set: InstructionSet) throws {
        try c.check(set)
    }

    @Test(arguments: InstructionSet.supported)
    func `what fills up the last block reaches no result`(_ set: InstructionSet) throws {
        // The lanes behind the 17 channels become 0/0.
        let c = BlockedCase(testDescription: "tails", channels: 17, extents: [6, 6]) { sketch, noise in
            sketch.constants["one"] = noise.tensor([17, 1, 1])
            sketch.constants["w"] = noise.tensor([17, 1, 3, 3])
            sketch.constants["p"] = noise.tensor([17, 17, 1, 1], scale: 0.2)
            sketch.constants["q"] = noise.tensor([4, 17, 3, 3], scale: 0.2)
            try sketch.add("Div", ["b", "one"], ["d"])
            try sketch.add("Conv", ["d", "w"], ["e"], ["group": .integer(17)])
            try sketch.add("GlobalAveragePool", ["e"], ["g"])
            try sketch.add("Conv", ["g", "p"], ["h"])
            try sketch.add("Mul", ["d", "h"], ["i"])
            try sketch.add("Conv", ["i", "q"], ["y"])
        }
        try c.check(set)
    }

    private static func joined(_ channels: [Int], axis: Int64 = 1) -> BlockedCase {
        BlockedCase(testDescription: "joined \(channels) on \(axis)") { sketch, noise in
            var names: [String] = []
            for (index, count) in channels.enumerated() {
                sketch.constants["w\(index)"] = noise.tensor([count, 19, 1, 1], scale: 0.3)
                names.append("p\(index)")
                try sketch.add("Conv", ["b", "w\(index)"], ["p\(index)"])
            }
            try sketch.add("Concat", names, ["y"], ["axis": .integer(axis)])
        }
    }

    private static func sliced(
        _ starts: [Int64], _ ends: [Int64], _ axes: [Int64], _ steps: [Int64], reorders: Int = 0
    ) -> BlockedCase {
        BlockedCase(
            testDescription: "sliced \(starts) to \(ends) on \(axes) by \(steps)", channels: 53,
            reorders: reorders
        ) { sketch, _ in
            sketch.constants["starts"] = Tensor(starts)
            sketch.constants["ends"] = Tensor(ends)
            sketch.constants["axes"] = Tensor(axes)
            sketch.constants["steps"] = Tensor(steps)
            try sketch.add("Slice", ["b", "starts", "ends", "axes", "steps"], ["y"])
        }
    }

    /// A concatenation, normalized as in a DenseNet, with one reader, or one that reads it as it was.
    private static func joinedAndNormalized(_ channels: [Int], isReadTwice: Bool = false) -> BlockedCase {
        let joined = joined(channels)
        let count = channels.reduce(0, +)
        return BlockedCase(
            testDescription: "\(joined.testDescription), normalized" + (isReadTwice ? " beside it" : ""),
            kernel: isReadTwice ? "joined, blocked" : "joined, blocked + Affine + Relu"
        ) { sketch, noise in
            try joined.build(&sketch, &noise)
            for name in ["gamma", "beta", "mean"] { sketch.constants[name] = noise.tensor([count]) }
            sketch.constants["variance"] = try Tensor(
                [Float](repeating: 0.7, count: count), shape: Shape([count]))
            let last = sketch.nodes.removeLast()
            try sketch.add("Concat", last.inputs, ["j"], ["axis": .integer(1)])
            try sketch.add("BatchNormalization", ["j", "gamma", "beta", "mean", "variance"], ["n"])
            try sketch.add("Relu", ["n"], [isReadTwice ? "r" : "y"])
            if isReadTwice { try sketch.add("Add", ["r", "j"], ["y"]) }
        }
    }

    private static let moves: [BlockedCase] = [
        joinedAndNormalized([16, 32, 16]), joinedAndNormalized([16, 3, 40]),
        joinedAndNormalized([32, 16], isReadTwice: true),
        joined([16, 32, 16]), joined([16, 3, 40]), joined([5, 7, 2, 3]), joined([58, 58]),
        joined([6, 6], axis: 2), joined([6, 6, 6], axis: -1), joined([20, 20], axis: 0),
        sliced([16], [48], [1], [1]), sliced([3], [50], [-3], [1]), sliced([-1], [-54], [1], [-3]),
        sliced([1, 2], [8, 11], [2, 3], [2, 1]), sliced([0, 1], [20, 8], [1, 2], [1, 1], reorders: 1),
        // A step beyond what the copy walks is left to the evaluation, which reads plain values.
        sliced([1], [40], [2], [1 << 40], reorders: 1),
        BlockedCase(testDescription: "split", channels: 53) { sketch, _ in
            sketch.constants["sizes"] = Tensor([Int64(16), 20, 17])
            try sketch.add("Split", ["b", "sizes"], ["p", "q", "r"], ["axis": .integer(1)])
            try sketch.add("Concat", ["r", "q", "p"], ["y"], ["axis": .integer(1)])
        },
        BlockedCase(testDescription: "padded") { sketch, _ in
            sketch.constants["pads"] = Tensor([Int64(0), 0, 1, 2, 0, 0, 3, -1])
            sketch.constants["fill"] = Tensor([Float(0.5)])
            try sketch.add("Pad", ["b", "pads", "fill"], ["y"])
        },
        BlockedCase(testDescription: "doubled") { sketch, _ in
            sketch.constants["scales"] = Tensor([Float(1), 1, 2, 2])
            try sketch.add("Resize", ["b", nil, "scales"], ["y"], ["mode": .string("linear")])
        },
        BlockedCase(testDescription: "channels resized", reorders: 1) { sketch, _ in
            sketch.constants["scales"] = Tensor([Float(1), 2, 1, 1])
            try sketch.add("Resize", ["b", nil, "scales"], ["y"])
        },
        BlockedCase(testDescription: "channels last", channels: 35) { sketch, _ in
            try sketch.add("Transpose", ["b"], ["y"], ["perm": .integers([0, 2, 3, 1])])
        },
        BlockedCase(testDescription: "channels last and back", channels: 35) { sketch, noise in
            sketch.constants["k"] = noise.tensor([35])
            try sketch.add("Transpose", ["b"], ["l"], ["perm": .integers([0, 2, 3, 1])])
            try sketch.add("Mul", ["l", "k"], ["m"])
            try sketch.add("Transpose", ["m"], ["f"], ["perm": .integers([0, 3, 1, 2])])
            try sketch.add("Add", ["f", "c"], ["y"])
        },
    ]

    @Test(arguments: moves, InstructionSet.supported)
    func `copies of channels and pixels`(_ c: BlockedCase, _ set: InstructionSet) throws {
        try c.check(set)
    }
}
