import Graph
import Tensors
import Testing

import Folding

@Suite struct FoldIntoMatMulTests {
    static func builder(input: [Int], weight: [Int], weightFirst: Bool = false, channels: Int) throws
        -> GraphBuilder
    {
        var builder = GraphBuilder()
        builder.input("x", input)
        try builder.weight("w", weight)
        try builder.node("MatMul", weightFirst ? ["w", "x"] : ["x", "w"], "h", name: "product")
        try builder.batchNorm("h", "y", channels: channels, name: "bn")
        builder.output("y")
        return builder
    }

    @Test func `a dense layer gets a scaled weight and a sum`() throws {
        let graph = try Self.builder(input: [3, 4], weight: [4, 5], channels: 5).graph()
        let result = try FoldPipeline.standard.run(graph)
        #expect(result.graph.nodes.map(\.type) == ["MatMul", "Add"])
        #expect(result.graph.nodes[0].name == "product")
        #expect(result.report.entry("bn")?.rule == "batchnorm-into-matmul")
        #expect(try Comparison(graph, result.graph).error < 1e-6)
    }

    @Test func `a square dense layer is scaled along its columns`() throws {
        let graph = try Self.builder(input: [4, 4], weight: [4, 4], channels: 4).graph()
        let result = try FoldPipeline.standard.run(graph)
        #expect(result.report.foldedCount == 1)
        #expect(try Comparison(graph, result.graph).error < 1e-6)
    }

    @Test func `a constant on the left of rank 3 is scaled along its rows`() throws {
        for (rows, depth, columns) in [(5, 4, 3), (4, 4, 4)] {
            let graph = try Self.builder(
                input: [2, depth, columns], weight: [rows, depth], weightFirst: true, channels: rows
            ).graph()
            let result = try FoldPipeline.standard.run(graph)
            #expect(result.report.foldedCount == 1)
            #expect(try Comparison(graph, result.graph).error < 1e-6)
        }
    }

    @Test func `refuses a normalization of the rows of a batch of products`() throws {
        let builder = try Self.builder(input: [2, 5, 4], weight: [4, 5], channels: 5)
        try expectRefusal(
            builder, "the channels are axis 1 of the product, its weight's outputs are axis 2 of rank 3",
            blockedBy: "product")
    }

    @Test func `refuses a constant on the left of rank 2`() throws {
        let builder = try Self.builder(input: [4, 4], weight: [4, 4], weightFirst: true, channels: 4)
        try expectRefusal(
            builder, "the channels are axis 1 of the product, its weight's outputs are axis 0 of rank 2",
            blockedBy: "product")
    }

    @Test func `refuses a weight with a batch axis`() throws {
        let builder = try Self.builder(input: [3, 4], weight: [2, 4, 3], channels: 3)
        try expectRefusal(
            builder, "the channels are axis 1 of the product, its weight's outputs are axis 2 of rank 3",
            blockedBy: "product")
    }

    @Test func `refuses when another node reads the product`() throws {
        var builder = try Self.builder(input: [3, 4], weight: [4, 5], channels: 5)
        try builder.node("Relu", ["h"], "r", name: "relu")
        builder.output("r")
        try expectRefusal(builder, "the value before it has another consumer", blockedBy: "relu")
    }

    @Test func `refuses a weight that a caller may override`() throws {
        var builder = try Self.builder(input: [3, 4], weight: [4, 5], channels: 5)
        builder.overridable = ["w"]
        try expectRefusal(builder, "a caller may override the weight", blockedBy: "w")
    }
}
