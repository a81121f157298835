import Graph
import Tensors
import Testing

import Folding

@Suite struct FoldIntoGemmTests {
    static func builder(
        rows: Int = 3, depth: Int = 4, columns: Int = 5, bias: [Int]? = nil, transA: Bool = false,
        transB: Bool = false, alpha: Float = 1, beta: Float = 1
    ) throws -> GraphBuilder {
        var builder = GraphBuilder()
        builder.input("x", transA ? [depth, rows] : [rows, depth])
        try builder.weight("w", transB ? [columns, depth] : [depth, columns])
        if let bias { try builder.weight("c", bias) }
        try builder.node(
            "Gemm", bias == nil ? ["x", "w"] : ["x", "w", "c"], "h", name: "dense",
            [
                "transA": .integer(transA ? 1 : 0), "transB": .integer(transB ? 1 : 0), "alpha": .real(alpha),
                "beta": .real(beta),
            ])
        try builder.batchNorm("h", "y", channels: columns, name: "bn")
        builder.output("y")
        return builder
    }

    @Test(arguments: [nil, [], [1], [5], [1, 5], [3, 1], [3, 5], [1, 1]] as [[Int]?])
    func `every shape of the bias gives the same output`(_ bias: [Int]?) throws {
        for (transA, transB) in [(false, false), (false, true), (true, false), (true, true)] {
            for (alpha, beta) in [(1, 1), (0.5, 2), (-1, 0), (0, 1)] as [(Float, Float)] {
                let graph = try Self.builder(
                    bias: bias, transA: transA, transB: transB, alpha: alpha, beta: beta
                ).graph()
                let result = try FoldPipeline.standard.run(graph)
                #expect(result.graph.nodes.map(\.name) == ["dense"])
                #expect(result.report.entry("bn")?.rule == "batchnorm-into-gemm")
                #expect(try Comparison(graph, result.graph).error < 1e-6)
            }
        }
    }

    @Test(arguments: [nil, [4], [1, 4], [4, 1], [4, 4]] as [[Int]?])
    func `a square product is scaled along its columns`(_ bias: [Int]?) throws {
        for transB in [false, true] {
            let graph = try Self.builder(rows: 4, depth: 4, columns: 4, bias: bias, transB: transB).graph()
            let result = try FoldPipeline.standard.run(graph)
            #expect(result.report.foldedCount == 1)
            #expect(try Comparison(graph, result.graph).error < 1e-6)
        }
    }

    @Test func `a bias of one row is a vector afterwards and one column becomes a matrix`() throws {
        for (shape, expected) in [([], [5]), ([1], [5]), ([5], [5]), ([1, 5], [5]), ([3, 1], [3, 5])] {
            let result = try FoldPipeline.standard.run(Self.builder(bias: shape).graph())
            let name = try #require(result.graph.node("dense")?.input(2))
            #expect(result.graph.constants[name]?.shape.dimensions == expected)
        }
    }

    @Test func `refuses a bias that is an input`() throws {
        var builder = try Self.builder(bias: [5])
        builder.constants["c"] = nil
        builder.input("c", [5])
        try expectRefusal(builder, "the bias is an input of the graph", blockedBy: "c")
    }

    @Test func `refuses two inputs multiplied with each other`() throws {
        var builder = try Self.builder()
        builder.constants["w"] = nil
        builder.input("w", [4, 5])
        try expectRefusal(builder, "the weight is an input of the graph", blockedBy: "w")
    }

    @Test func `refuses when the product is also a graph output`() throws {
        var builder = try Self.builder()
        builder.output("h")
        try expectRefusal(builder, "the value before it is also a graph output", blockedBy: "h")
    }
}
