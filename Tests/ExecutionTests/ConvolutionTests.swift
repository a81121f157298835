import Execution
import Graph
import Kernels
import Tensors
import Testing

struct ConvolutionCase: Sendable, CustomTestStringConvertible {
    var channels: Int
    var outputChannels: Int
    var group = 1
    var extents: [Int]
    var kernel: [Int]
    var strides: [Int]? = nil
    var dilations: [Int]? = nil
    var pads: [Int]? = nil
    var autoPad: String? = nil
    var hasBias = true
    var batch = 2

    var testDescription: String {
        "\(channels)→\(outputChannels)/\(group) \(extents) k\(kernel) s\(strides ?? []) d\(dilations ?? []) "
            + "p\(pads ?? []) \(autoPad ?? "")"
    }

    static let all: [ConvolutionCase] = [
        .init(channels: 1, outputChannels: 1, extents: [5, 5], kernel: [1, 1]),
        .init(channels: 3, outputChannels: 5, extents: [7, 7], kernel: [1, 1], hasBias: false),
        .init(channels: 17, outputChannels: 33, extents: [9, 5], kernel: [1, 1]),
        .init(channels: 16, outputChannels: 16, extents: [8, 8], kernel: [1, 1], strides: [2, 2]),
        .init(channels: 5, outputChannels: 17, extents: [7, 9], kernel: [3, 3], pads: [1, 1, 1, 1]),
        .init(
            channels: 3, outputChannels: 16, extents: [23, 21], kernel: [7, 7], strides: [2, 2],
            pads: [3, 3, 3, 3]),
        .init(channels: 33, outputChannels: 12, extents: [14, 14], kernel: [3, 3]),
        .init(
            channels: 40, outputChannels: 7, extents: [9, 40], kernel: [3, 3], strides: [1, 2],
            pads: [0, 1, 2, 0]),
        .init(
            channels: 4, outputChannels: 6, extents: [11, 13], kernel: [3, 2], dilations: [2, 3],
            pads: [2, 1, 0, 3]),
        .init(
            channels: 4, outputChannels: 6, extents: [12, 13], kernel: [3, 3], strides: [3, 2],
            dilations: [2, 3],
            pads: [1, 2, 3, 4]),
        .init(
            channels: 6, outputChannels: 6, group: 3, extents: [7, 7], kernel: [3, 3], pads: [1, 1, 1, 1]),
        .init(
            channels: 32, outputChannels: 64, group: 2, extents: [5, 6], kernel: [5, 5], pads: [2, 2, 2, 2]),
        .init(
            channels: 40, outputChannels: 40, group: 5, extents: [7, 6], kernel: [3, 3], pads: [1, 1, 1, 1]),
        .init(channels: 24, outputChannels: 12, group: 3, extents: [5, 9], kernel: [1, 1]),
        .init(
            channels: 12, outputChannels: 96, group: 6, extents: [6, 5], kernel: [3, 3], strides: [2, 2],
            pads: [1, 1, 1, 1]),
        .init(channels: 2, outputChannels: 3, extents: [6, 6], kernel: [2, 2], autoPad: "SAME_UPPER"),
        .init(
            channels: 2, outputChannels: 3, extents: [7, 7], kernel: [4, 4], strides: [2, 2],
            autoPad: "SAME_LOWER"),
        .init(channels: 2, outputChannels: 3, extents: [7, 7], kernel: [3, 3], autoPad: "VALID"),
        .init(channels: 3, outputChannels: 4, extents: [19], kernel: [5], strides: [2], pads: [2, 1]),
        .init(
            channels: 3, outputChannels: 4, extents: [5, 6, 7], kernel: [3, 2, 3], pads: [1, 0, 1, 1, 1, 1]),
        .init(
            channels: 2, outputChannels: 8, extents: [7, 7, 9], kernel: [3, 3, 3], strides: [2, 1, 2],
            dilations: [1, 2, 1], pads: [1, 2, 1, 1, 2, 1]),
        .init(
            channels: 5, outputChannels: 5, group: 5, extents: [7, 7], kernel: [3, 3], pads: [1, 1, 1, 1]),
        .init(
            channels: 17, outputChannels: 17, group: 17, extents: [33, 35], kernel: [3, 3], strides: [2, 2],
            pads: [1, 1, 1, 1]),
        .init(
            channels: 3, outputChannels: 6, group: 3, extents: [40, 70], kernel: [5, 5], pads: [2, 2, 2, 2]),
        .init(channels: 3, outputChannels: 3, group: 3, extents: [9, 70], kernel: [3, 3], hasBias: false),
        .init(
            channels: 3, outputChannels: 3, group: 3, extents: [9, 9], kernel: [3, 3], dilations: [2, 2],
            pads: [2, 2, 2, 2]),
        .init(
            channels: 4, outputChannels: 4, group: 4, extents: [5, 6, 7], kernel: [3, 3, 3],
            pads: [1, 1, 1, 1, 1, 1]),
        .init(channels: 16, outputChannels: 16, extents: [1, 1], kernel: [3, 3], pads: [1, 1, 1, 1]),
        .init(channels: 128, outputChannels: 40, extents: [7, 7], kernel: [3, 3], pads: [1, 1, 1, 1]),
        // Pixels that are brought together: in several runs, some of them outside, of many axes.
        .init(
            channels: 20, outputChannels: 150, extents: [45, 40], kernel: [1, 1], strides: [2, 2],
            batch: 3),
        .init(
            channels: 40, outputChannels: 130, extents: [15, 15], kernel: [1, 1], strides: [2, 1],
            pads: [1, 0, 0, 2]),
        .init(channels: 16, outputChannels: 128, extents: [300], kernel: [1], strides: [3], batch: 1),
        .init(
            channels: 17, outputChannels: 129, extents: [5, 9, 8], kernel: [1, 1, 1], strides: [1, 2, 2]),
        // Few channels: read as they lie, copied in strips of rows, in parts of a row, of several sheets, with wide borders.
        .init(channels: 3, outputChannels: 20, extents: [32, 29], kernel: [4, 4], strides: [4, 4]),
        .init(
            channels: 3, outputChannels: 24, extents: [150, 131], kernel: [7, 7], strides: [2, 2],
            pads: [3, 3, 3, 3]),
        .init(
            channels: 2, outputChannels: 8, extents: [20_000], kernel: [9], strides: [3], dilations: [2],
            pads: [40, 7]),
        .init(
            channels: 8, outputChannels: 4, extents: [3, 3000], kernel: [3, 5], dilations: [1, 200],
            pads: [1, 0, 1, 900], batch: 1),
        .init(
            channels: 4, outputChannels: 17, extents: [4, 60, 70], kernel: [2, 3, 3], strides: [2, 1, 1],
            dilations: [2, 1, 1], pads: [1, 2, 1, 1, 1, 1]),
        .init(
            channels: 2, outputChannels: 9, extents: [6, 5], kernel: [2, 2], strides: [3, 1],
            pads: [5, 4, 6, 7]),
    ]

    /// Input "x" with an open batch; output "y", and what follows it in `tail`.
    func sketch() throws -> GraphSketch {
        var noise = Noise(7)
        var sketch = GraphSketch()
        sketch.input("x", [.symbol("N"), .known(channels)] + extents.map(Dimension.known))
        let depth = kernel.reduce(channels / group, *)
        sketch.constants["w"] = noise.tensor(
            [outputChannels, channels / group] + kernel, scale: 1 / Float(depth).squareRoot())
        sketch.constants["b"] = noise.tensor([outputChannels])
        var attributes: [String: Attribute] = ["group": .integer(Int64(group))]
        if let strides { attributes["strides"] = .integers(strides.map { Int64($0) }) }
        if let dilations { attributes["dilations"] = .integers(dilations.map { Int64($0) }) }
        if let pads { attributes["pads"] = .integers(pads.map { Int64($0) }) }
        if let autoPad { attributes["auto_pad"] = .string(autoPad) }
        try sketch.add("Conv", hasBias ? ["x", "w", "b"] : ["x", "w"], ["y"], attributes)
        return sketch
    }

    var input: Tensor {
        var noise = Noise(11)
        return noise.tensor([batch, channels] + extents)
    }
}

@Suite struct ConvolutionTests {
    @Test(arguments: ConvolutionCase.all, InstructionSet.supported)
    func `equals the reference`(_ c: ConvolutionCase, _ set: InstructionSet) throws {
        let graph = try c.sketch().graph(["y"])
        let executable = try Executable(
            graph, options: ExecutionOptions(instructionSet: set, nanosecondsPerThread: 0))
        #expect(executable.computedSteps.allSatisfy { $0.kernel.hasPrefix(set.rawValue) })
        let inputs = ["x": c.input]
        let expected = try exactly(graph, inputs)
        for threadCount in [1, 2] {
            let outputs = try Session(executable, threadCount: threadCount).run(inputs)
            #expect(try worstError(outputs, expected) < 1e-5)
        }
    }

    @Test(arguments: InstructionSet.supported)
    func `takes a residual and an activation into its epilogue`(_ set: InstructionSet) throws {
        for activation in ["Relu", "Sigmoid", "HardSwish", "Tanh"] {
            for c in [ConvolutionCase.all[2], ConvolutionCase.all[4]] {
                var sketch = try c.sketch()
                sketch.input("r", [.symbol("N"), .known(c.outputChannels)] + c.extents.map(Dimension.known))
                try sketch.add("Add", ["r", "y"], ["sum"])
                try sketch.add(activation, ["sum"], ["z"])
                let graph = try sketch.graph(["z"])
                let executable = try Executable(
                    graph, options: ExecutionOptions(instructionSet: set, nanosecondsPerThread: 0))
                #expect(executable.computedSteps.count == 1)
                var noise = Noise(3)
                let inputs = ["x": c.input, "r": noise.tensor([c.batch, c.outputChannels] + c.extents)]
                let outputs = try Session(executable, threadCount: 2).run(inputs)
                #expect(try worstError(outputs, exactly(graph, inputs)) < 1e-5)
            }
        }
    }

    @Test(arguments: InstructionSet.supported)
    func `a residual outlives the partial sums of a deep product`(_ set: InstructionSet) throws {
        let c = ConvolutionCase(
            channels: 64, outputChannels: 24, extents: [9, 9], kernel: [3, 3], pads: [1, 1, 1, 1])
        var sketch = try c.sketch()
        sketch.input("r", [.symbol("N"), .known(c.outputChannels)] + c.extents.map(Dimension.known))
        // A value of the arena that nobody reads after the sum: its memory is free to be reused.
        try sketch.add("Neg", ["r"], ["n"])
        try sketch.add("Add", ["y", "n"], ["sum"])
        try sketch.add("Relu", ["sum"], ["z"])
        try sketch.add("Neg", ["z"], ["out"])
        let graph = try sketch.graph(["out"])
        let executable = try Executable(
            graph, options: ExecutionOptions(instructionSet: set, nanosecondsPerThread: 0))
        var noise = Noise(4)
        let inputs = ["x": c.input, "r": noise.tensor([c.batch, c.outputChannels] + c.extents)]
        let outputs = try Session(executable, threadCount: 2).run(inputs)
        #expect(try worstError(outputs, exactly(graph, inputs)) < 1e-5)
    }

    @Test func `keeps a sum that is a graph output apart`() throws {
        var sketch = try ConvolutionCase.all[4].sketch()
        try sketch.add("Relu", ["y"], ["z"])
        let graph = try sketch.graph(["y", "z"])
        let executable = try Executable(graph)
        #expect(executable.computedSteps.count == 2)
        let inputs = ["x": ConvolutionCase.all[4].input]
        let outputs = try Session(executable, threadCount: 1).run(inputs)
        #expect(try worstError(outputs, exactly(graph, inputs)) < 1e-5)
    }

    @Test func `lets packed weights go`() throws {
        let executable = try Executable(try ConvolutionCase.all[11].sketch().graph(["y"]))
        #expect(executable.graph.constants["w"] == nil)
    }
}
