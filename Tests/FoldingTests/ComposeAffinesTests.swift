import Graph
import Tensors
import Testing

import Folding

@Suite struct ComposeAffinesTests {
    static func builder(convolution: Bool) throws -> GraphBuilder {
        var builder = GraphBuilder()
        builder.input("x", [2, 3, 4, 4])
        if convolution {
            try builder.weight("w", [3, 3, 1, 1])
            try builder.node("Conv", ["x", "w"], "h", name: "conv")
        } else {
            try builder.node("Relu", ["x"], "h", name: "relu")
        }
        try builder.batchNorm("h", "m", channels: 3, name: "first")
        try builder.batchNorm("m", "y", channels: 3, name: "second")
        builder.output("y")
        return builder
    }

    @Test func `two in a row fold into the convolution before them`() throws {
        let graph = try Self.builder(convolution: true).graph()
        let result = try FoldPipeline.standard.run(graph)
        #expect(result.graph.nodes.map(\.name) == ["conv"])
        #expect(result.report.foldedCount == 2)
        #expect(result.report.entries.map(\.producer) == ["conv", "conv"])
        #expect(try Comparison(graph, result.graph).error < 1e-6)
    }

    @Test func `two in a row with nothing before them become one`() throws {
        let graph = try Self.builder(convolution: false).graph()
        let result = try FoldPipeline.standard.run(graph)
        #expect(result.graph.nodes.map(\.name) == ["relu", "second"])
        #expect(result.report.entry("first")?.outcome == .partial)
        #expect(result.report.entry("first")?.consumer == "second")
        #expect(result.report.entry("second")?.outcome == .refused)
        #expect(result.graph.node("second")?.sources.isEmpty == true)
        #expect(try Comparison(graph, result.graph).error < 1e-13)
    }

    @Test func `a hundred in a row become one`() throws {
        var builder = GraphBuilder(elementType: .float64)
        builder.input("x", [1, 2, 2])
        for index in 0..<100 {
            try builder.batchNorm(
                index == 0 ? "x" : "v\(index)", "v\(index + 1)", scale: [-1, 1], bias: builder.reals(2),
                mean: builder.reals(2), variance: [1, 1])
        }
        builder.output("v100")
        let graph = try builder.graph()
        let result = try FoldPipeline.standard.run(graph)
        #expect(result.graph.nodes.count == 1 && result.report.entries.count == 100)
        #expect(result.report.partialCount == 99 && result.report.refusedCount == 1)
        #expect(try Comparison(graph, result.graph).error < 1e-12)
    }

    @Test func `both stay when another node reads the value between`() throws {
        var builder = try Self.builder(convolution: false)
        try builder.node("Relu", ["m"], "r", name: "reader")
        builder.output("r")
        let graph = try builder.graph()
        let result = try FoldPipeline.standard.run(graph)
        #expect(result.graph.count(of: "Affine") == 2)
        #expect(result.report.entry("first")?.reason?.hasPrefix("Relu does not commute") == true)
        #expect(result.report.entry("second")?.reason?.hasPrefix("the preceding node is BatchNorm") == true)
        #expect(try Comparison(graph, result.graph).error < 1e-13)
    }

    @Test func `the first folds alone when the value between is a graph output`() throws {
        var builder = try Self.builder(convolution: true)
        builder.output("m")
        let graph = try builder.graph()
        let result = try FoldPipeline.standard.run(graph)
        #expect(result.report.entry("first")?.outcome == .folded)
        #expect(result.report.entry("second")?.reason?.hasPrefix("the value before it is also") == true)
        #expect(try Comparison(graph, result.graph).error < 1e-6)
    }

    @Test func `both stay when their product is not finite`() throws {
        var builder = try Self.builder(convolution: false)
        builder.elementType = .float64
        for name in ["first", "second"] {
            try builder.constant("\(name).gamma", [1e200, 1, 1], [3])
        }
        let result = try FoldPipeline.standard.run(builder.graph())
        let reason = result.report.entry("first")?.reason
        #expect(reason?.hasPrefix("the product with the next one is not finite") == true)
        #expect(result.report.entry("first")?.blockedBy == "second")
        #expect(result.graph.count(of: "Affine") == 2)
    }
}
