import Graph
import Tensors
import Testing

import Folding

@Suite struct FoldIntoConvTransposeTests {
    static func builder(
        input: [Int], weight: [Int], group: Int = 1, bias: Bool = true,
        _ attributes: [String: Attribute] = [:]
    ) throws -> GraphBuilder {
        var builder = GraphBuilder()
        builder.input("x", input)
        try builder.weight("w", weight)
        let channels = weight[1] * group
        if bias { try builder.weight("c", [channels]) }
        try builder.node(
            "ConvTranspose", bias ? ["x", "w", "c"] : ["x", "w"], "h", name: "up",
            attributes.merging(["group": .integer(Int64(group))]) { $1 })
        try builder.batchNorm("h", "y", channels: channels, name: "bn")
        builder.output("y")
        return builder
    }

    @Test(arguments: [
        // input, weight, group
        ([1, 3, 5], [3, 2, 3], 1),
        ([2, 3, 4, 4], [3, 5, 3, 2], 1),
        ([1, 2, 3, 3, 2], [2, 3, 2, 2, 2], 1),
        ([1, 6, 4, 4], [6, 3, 3, 3], 2),
        ([1, 8, 4, 4], [8, 2, 2, 2], 4),
        ([1, 4, 4, 4], [4, 1, 3, 3], 4),
    ])
    func `folded output matches unfolded`(_ input: [Int], _ weight: [Int], _ group: Int) throws {
        for bias in [true, false] {
            let attributes: [String: Attribute] = [
                "strides": .integers(Array(repeating: 2, count: input.count - 2))
            ]
            let graph = try Self.builder(input: input, weight: weight, group: group, bias: bias, attributes)
                .graph()
            let result = try FoldPipeline.standard.run(graph)
            #expect(result.graph.nodes.map(\.name) == ["up"])
            #expect(result.report.entry("bn")?.rule == "batchnorm-into-convtranspose")
            #expect(try Comparison(graph, result.graph).error < 1e-6)
        }
    }

    @Test func `a square weight is scaled along its output channels`() throws {
        let graph = try Self.builder(input: [1, 4, 3, 3], weight: [4, 4, 3, 3]).graph()
        let result = try FoldPipeline.standard.run(graph)
        #expect(result.report.foldedCount == 1)
        #expect(try Comparison(graph, result.graph).error < 1e-6)
    }

    @Test func `refuses when another node reads the convolution`() throws {
        var builder = try Self.builder(input: [1, 4, 3, 3], weight: [4, 4, 3, 3])
        try builder.node("Relu", ["h"], "r", name: "relu")
        builder.output("r")
        try expectRefusal(builder, "the value before it has another consumer", blockedBy: "relu")
    }

    @Test func `refuses a weight that a caller may override`() throws {
        var builder = try Self.builder(input: [1, 4, 3, 3], weight: [4, 4, 3, 3])
        builder.overridable = ["w"]
        try expectRefusal(builder, "a caller may override the weight", blockedBy: "w")
    }

    @Test func `leaves a shared weight untouched for its other consumer`() throws {
        var builder = try Self.builder(input: [1, 4, 3, 3], weight: [4, 4, 3, 3])
        try builder.node("Conv", ["x", "w"], "z", name: "other")
        builder.output("z")
        let graph = try builder.graph()
        let result = try FoldPipeline.standard.run(graph)
        #expect(result.report.entry("bn")?.clonedWeights == true)
        #expect(try Comparison(graph, result.graph).error < 1e-6)
    }
}
