import Graph
import Tensors
import Testing

import Folding

@Suite struct FoldIntoMatMulAddTests {
    static func builder(
        input: [Int] = [3, 4], weight: [Int] = [4, 5], bias: [Int], biasFirst: Bool = false,
        weightFirst: Bool = false, channels: Int = 5
    ) throws -> GraphBuilder {
        var builder = GraphBuilder()
        builder.input("x", input)
        try builder.weight("w", weight)
        try builder.weight("c", bias)
        try builder.node("MatMul", weightFirst ? ["w", "x"] : ["x", "w"], "p", name: "product")
        try builder.node("Add", biasFirst ? ["c", "p"] : ["p", "c"], "h", name: "sum")
        try builder.batchNorm("h", "y", channels: channels, name: "bn")
        builder.output("y")
        return builder
    }

    @Test(arguments: [[], [1], [5], [1, 5], [3, 1], [3, 5], [1, 1]])
    func `every shape of the bias gives the same output on either side`(_ bias: [Int]) throws {
        for biasFirst in [false, true] {
            let graph = try Self.builder(bias: bias, biasFirst: biasFirst).graph()
            let result = try FoldPipeline.standard.run(graph)
            #expect(result.graph.nodes.map(\.name) == ["product", "sum"])
            #expect(result.report.entry("bn")?.rule == "batchnorm-into-matmul")
            #expect(try Comparison(graph, result.graph).error < 1e-6)
        }
    }

    @Test(arguments: [[], [4], [1, 4], [4, 1], [4, 4]])
    func `a square layer is scaled along its columns`(_ bias: [Int]) throws {
        let graph = try Self.builder(input: [4, 4], weight: [4, 4], bias: bias, channels: 4).graph()
        let result = try FoldPipeline.standard.run(graph)
        #expect(result.report.foldedCount == 1)
        #expect(try Comparison(graph, result.graph).error < 1e-6)
    }

    @Test(arguments: [[], [3], [4, 1], [4, 3], [1, 4, 1], [1, 1, 3], [2, 1, 1], [2, 4, 3]])
    func `every shape of the bias of a constant on the left gives the same output`(_ bias: [Int]) throws {
        let graph = try Self.builder(
            input: [2, 5, 3], weight: [4, 5], bias: bias, weightFirst: true, channels: 4
        ).graph()
        let result = try FoldPipeline.standard.run(graph)
        #expect(result.report.foldedCount == 1)
        #expect(try Comparison(graph, result.graph).error < 1e-6)
    }

    @Test func `refuses a bias with more axes than the product`() throws {
        let builder = try Self.builder(input: [5, 4], bias: [2, 5, 1])
        // The sum has shape [2, 5, 5]: its axis 1 is not the product's.
        try expectRefusal(
            builder, "the channels are axis 0 of the product, its weight's outputs are axis 1 of rank 2",
            blockedBy: "product")
    }

    @Test func `refuses when another node reads the product`() throws {
        var builder = try Self.builder(bias: [5])
        try builder.node("Relu", ["p"], "r", name: "relu")
        builder.output("r")
        try expectRefusal(builder, "the value before it has another consumer", blockedBy: "relu")
    }

    @Test func `refuses when another node reads the sum`() throws {
        var builder = try Self.builder(bias: [5])
        try builder.node("Relu", ["h"], "r", name: "relu")
        builder.output("r")
        try expectRefusal(builder, "the value before it has another consumer", blockedBy: "relu")
    }

    @Test func `refuses a bias that a caller may override`() throws {
        var builder = try Self.builder(bias: [5])
        builder.overridable = ["c"]
        try expectRefusal(builder, "a caller may override the bias", blockedBy: "c")
    }

    @Test func `refuses a normalization of the rows of a batch`() throws {
        let builder = try Self.builder(input: [2, 5, 4], bias: [5])
        try expectRefusal(
            builder, "the channels are axis 1 of the product, its weight's outputs are axis 2 of rank 3",
            blockedBy: "product")
    }

    @Test func `refuses a sum with a value that nothing computes`() throws {
        var builder = try Self.builder(bias: [5])
        builder.constants["c"] = nil
        builder.input("c", [3, 5])
        try expectRefusal(
            builder,
            "no node precedes it, only Conv, ConvTranspose, Gemm and MatMul can absorb it backward",
            blockedBy: "c")
    }
}
