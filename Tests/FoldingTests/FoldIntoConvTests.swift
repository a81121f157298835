import Graph
import Tensors
import Testing

import Folding

@Suite struct FoldIntoConvTests {
    /// x → conv → bn → y.
    static func builder(
        input: [Int], weight: [Int], bias: Bool = true, elementType: ElementType = .float32,
        _ attributes: [String: Attribute] = [:]
    ) throws -> GraphBuilder {
        var builder = GraphBuilder(elementType: elementType)
        builder.input("x", input)
        try builder.weight("w", weight)
        if bias { try builder.weight("c", [weight[0]]) }
        try builder.node("Conv", bias ? ["x", "w", "c"] : ["x", "w"], "h", name: "conv", attributes)
        try builder.batchNorm("h", "y", channels: weight[0], name: "bn")
        builder.output("y")
        return builder
    }

    struct Case: CustomTestStringConvertible {
        let testDescription: String
        let input: [Int]
        let weight: [Int]
        var bias = true
        var attributes: [String: Attribute] = [:]
    }

    @Test(arguments: [
        Case(testDescription: "1-d", input: [2, 3, 9], weight: [4, 3, 3]),
        Case(testDescription: "2-d", input: [2, 3, 6, 5], weight: [4, 3, 3, 2]),
        Case(testDescription: "3-d", input: [1, 2, 4, 5, 4], weight: [3, 2, 2, 3, 2]),
        Case(testDescription: "no bias", input: [2, 3, 6, 5], weight: [4, 3, 3, 2], bias: false),
        Case(
            testDescription: "grouped", input: [1, 4, 5, 5], weight: [6, 2, 3, 3],
            attributes: ["group": .integer(2)]),
        Case(
            testDescription: "depthwise", input: [1, 4, 5, 5], weight: [4, 1, 3, 3],
            attributes: ["group": .integer(4), "pads": .integers([1, 1, 1, 1])]),
        Case(
            testDescription: "strided, dilated, padded", input: [1, 3, 9, 9], weight: [3, 3, 3, 3],
            attributes: [
                "strides": .integers([2, 1]), "dilations": .integers([1, 2]),
                "pads": .integers([1, 0, 2, 3]),
            ]),
        Case(
            testDescription: "auto_pad", input: [1, 3, 7, 6], weight: [3, 3, 3, 3],
            attributes: ["auto_pad": .string("SAME_LOWER"), "strides": .integers([2, 2])]),
    ])
    func `folded output matches unfolded`(_ c: Case) throws {
        for type in [ElementType.float32, .float64, .float16, .bfloat16] {
            let graph = try Self.builder(
                input: c.input, weight: c.weight, bias: c.bias, elementType: type, c.attributes
            ).graph()
            let result = try FoldPipeline.standard.run(graph)
            #expect(result.graph.nodes.map(\.name) == ["conv"])
            #expect(result.report.foldedCount == 1)
            #expect(try Comparison(graph, result.graph).error < tolerance(type))
        }
    }

    @Test func `the folded node keeps its name and defines the normalization's value`() throws {
        let graph = try Self.builder(input: [2, 3, 6, 5], weight: [4, 3, 3, 2], bias: false).graph()
        let result = try FoldPipeline.standard.run(graph)
        let conv = try #require(result.graph.node("conv"))
        #expect(conv.outputs == ["y"])
        let names = Set(conv.inputs.dropFirst().compactMap { $0 })
        #expect(names.count == 2 && names.isDisjoint(with: graph.constants.keys))
        #expect(Set(result.graph.constants.keys) == names)
        for name in names { #expect(result.graph.constants[name]?.elementType == .float32) }
    }

    @Test func `reports rule, producer, scale range and values`() throws {
        var builder = GraphBuilder()
        builder.input("x", [1, 1, 4, 4])
        try builder.weight("w", [2, 1, 1, 1])
        try builder.node("Conv", ["x", "w"], "h", name: "conv")
        try builder.batchNorm(
            "h", "y", scale: [-3, 2], bias: [0, 0], mean: [0, 0], variance: [1, 4], name: "bn",
            ["epsilon": .real(0)])
        builder.output("y")
        let entry = try #require(try FoldPipeline.standard.run(builder.graph()).report.entry("bn"))
        #expect(entry.outcome == .folded)
        #expect(entry.rule == "batchnorm-into-conv" && entry.producer == "conv" && entry.reason == nil)
        #expect(entry.scaleMinimum == -3 && entry.scaleMaximum == 1)
        #expect(entry.minimumVariancePlusEpsilon == 1 && entry.channelCount == 2)
        #expect(entry.input == "x" && entry.output == "y" && !entry.clonedWeights)
    }

    @Test func `refuses when the convolution output is also a graph output`() throws {
        var builder = try Self.builder(input: [1, 3, 6, 5], weight: [4, 3, 3, 2])
        builder.output("h")
        try expectRefusal(builder, "the value before it is also a graph output", blockedBy: "h")
    }

    @Test func `refuses when another node reads the convolution`() throws {
        var builder = try Self.builder(input: [1, 3, 6, 5], weight: [4, 3, 3, 2])
        try builder.node("Relu", ["h"], "r", name: "relu")
        builder.output("r")
        try expectRefusal(builder, "the value before it has another consumer", blockedBy: "relu")
    }

    @Test(arguments: [("w", "weight"), ("c", "bias")])
    func `refuses parameters that a caller may override`(_ c: (String, String)) throws {
        var builder = try Self.builder(input: [1, 3, 6, 5], weight: [4, 3, 3, 2])
        builder.overridable = [c.0]
        try expectRefusal(builder, "a caller may override the \(c.1)", blockedBy: c.0)
    }

    @Test func `refuses a weight that is an input`() throws {
        var builder = try Self.builder(input: [1, 3, 6, 5], weight: [4, 3, 3, 2])
        builder.constants["w"] = nil
        builder.input("w", [4, 3, 3, 2])
        try expectRefusal(builder, "the weight is an input of the graph", blockedBy: "w")
    }

    @Test func `refuses a weight that a node computes`() throws {
        var builder = try Self.builder(input: [1, 3, 6, 5], weight: [4, 3, 3, 2])
        builder.constants["w"] = nil
        builder.input("v", [4, 3, 3, 2])
        try builder.node("Relu", ["v"], "w", name: "relu")
        try expectRefusal(builder, "the weight is not constant, a node computes it", blockedBy: "relu")
    }

    @Test func `refuses a weight that would overflow float16`() throws {
        var builder = try Self.builder(input: [1, 3, 6, 5], weight: [1, 3, 3, 2], elementType: .float16)
        try builder.constant("w", Array(repeating: 60000, count: 18), [1, 3, 3, 2])
        try builder.constant("bn.gamma", [2], [1])
        try builder.constant("bn.variance", [1], [1])
        try expectRefusal(builder, "a folded weight is beyond the range of float16")
    }

    @Test func `refuses a bias that would overflow float16`() throws {
        var builder = try Self.builder(input: [1, 3, 6, 5], weight: [1, 3, 3, 2], elementType: .float16)
        try builder.constant("c", [60000], [1])
        try builder.constant("bn.gamma", [2], [1])
        try builder.constant("bn.variance", [1], [1])
        try expectRefusal(builder, "the folded bias is beyond the range of float16")
    }

    @Test func `leaves a shared weight untouched for its other consumer`() throws {
        var builder = try Self.builder(input: [1, 3, 6, 5], weight: [4, 3, 3, 2])
        try builder.node("Conv", ["x", "w"], "z", name: "other")
        builder.output("z")
        let graph = try builder.graph()
        let result = try FoldPipeline.standard.run(graph)
        #expect(result.graph.node("other")?.input(1) == "w")
        #expect(
            try result.graph.constants["w"]?.elements(as: Float.self)
                == graph.constants["w"]?.elements(as: Float.self))
        #expect(result.report.entry("bn")?.clonedWeights == true)
        #expect(try Comparison(graph, result.graph).error < 1e-6)
    }

    @Test func `weights shared by two normalized convolutions are scaled for each`() throws {
        var builder = try Self.builder(input: [1, 3, 6, 5], weight: [4, 3, 3, 2])
        try builder.node("Conv", ["y2", "w"], "h2", name: "second")
        try builder.node("Relu", ["x"], "y2")
        try builder.batchNorm("h2", "z", channels: 4)
        builder.output("z")
        let graph = try builder.graph()
        let result = try FoldPipeline.standard.run(graph)
        #expect(result.report.foldedCount == 2)
        #expect(result.graph.constants["w"] == nil)
        #expect(try Comparison(graph, result.graph).error < 1e-6)
    }

    @Test func `refuses a convolution whose channels are not the normalization's`() throws {
        var builder = GraphBuilder()
        builder.input("x", [1, 3, 6, 5])
        try builder.weight("w", [4, 3, 3, 2])
        try builder.node("Conv", ["x", "w"], "h", name: "conv")
        try builder.node(
            "Affine", ["h"], "y", name: "affine",
            Affine.attributes(scale: [1, 2, 3, 4], shift: [0, 0, 0, 0], axis: 3))
        builder.output("y")
        let graph = try builder.graph()
        let context = FoldContext(
            graph: graph, values: try graph.inferValues(), takenNames: [], takenNodeNames: [])
        let rule = FoldBackward()
        #expect(throws: FoldRefusal("the channels are on axis 3, those of Conv on axis 1", blockedBy: "conv"))
        {
            try rule.proposal(at: graph.nodes[1], in: context)
        }
    }
}

/// Runs the standard pipeline and expects the only normalization to stay, for this reason, with the same function.
func expectRefusal(
    _ builder: GraphBuilder, _ reason: String, blockedBy: String? = nil,
    sourceLocation: SourceLocation = #_sourceLocation
) throws {
    let graph = try builder.graph()
    let result = try FoldPipeline.standard.run(graph)
    let entry = try #require(result.report.entries.first, sourceLocation: sourceLocation)
    #expect(result.report.entries.count == 1, sourceLocation: sourceLocation)
    #expect(entry.outcome == .refused, sourceLocation: sourceLocation)
    // What stands in the way forward is what the tests of forward folds look at.
    #expect(
        entry.reason == reason || entry.reason?.hasPrefix(reason + "; forward: ") == true,
        "\(entry.reason ?? "")", sourceLocation: sourceLocation)
    #expect(entry.blockedBy == blockedBy, sourceLocation: sourceLocation)
    if builder.elementType != .float16 {
        #expect(try Comparison(graph, result.graph).error < 1e-14, sourceLocation: sourceLocation)
    }
}
