import Graph
import Tensors
import Testing

import Folding

@Suite struct ConstantPropagationTests {
    @Test func `evaluates nodes that read nothing but constants`() throws {
        var builder = GraphBuilder()
        builder.input("x", [1, 3, 4, 4])
        try builder.weight("raw", [4, 27])
        builder.constants["shape"] = Tensor([4, 3, 3, 3] as [Int64])
        try builder.node("Reshape", ["raw", "shape"], "w0")
        try builder.node("Identity", ["w0"], "w")
        try builder.node("Conv", ["x", "w"], "h", name: "conv")
        try builder.batchNorm("h", "y", channels: 4)
        builder.output("y")
        let graph = try builder.graph()
        let result = try FoldPipeline.standard.run(graph)
        #expect(result.graph.nodes.map(\.name) == ["conv"])
        #expect(try Comparison(graph, result.graph).error < 1e-6)
    }

    @Test func `leaves what a caller may override`() throws {
        var builder = GraphBuilder()
        builder.input("x", [2, 2])
        try builder.weight("w", [2, 2])
        builder.overridable = ["w"]
        try builder.node("Relu", ["w"], "r", name: "relu")
        try builder.node("Add", ["x", "r"], "y")
        builder.output("y")
        #expect(try ConstantPropagation().run(builder.graph()).node("relu") != nil)
    }

    @Test func `a constant that is a graph output keeps its name`() throws {
        var builder = GraphBuilder()
        builder.input("x", [2, 2])
        try builder.weight("w", [2, 2])
        try builder.node("Relu", ["w"], "r")
        builder.output("r")
        let result = try ConstantPropagation().run(builder.graph())
        #expect(result.nodes.isEmpty && result.constants["r"] != nil)
    }

    @Test func `an output larger than the limit is not evaluated`() throws {
        for (extent, isEvaluated) in [(1 << 19, true), ((1 << 19) + 1, false)] {
            var builder = GraphBuilder()
            builder.input("x", [1])
            try builder.constant("column", [1, 2], [2, 1])
            try builder.constant("row", [Double](repeating: 1, count: extent), [1, extent])
            try builder.node("Add", ["column", "row"], "matrix", name: "outer")
            try builder.node("Add", ["x", "matrix"], "y")
            builder.output("y")
            let result = try ConstantPropagation().run(builder.graph())
            #expect((result.node("outer") == nil) == isEvaluated)
        }
    }

    @Test func `a weight read through an identity stays shared`() throws {
        var builder = try FoldIntoConvTests.builder(input: [1, 3, 6, 5], weight: [4, 3, 3, 2])
        try builder.node("Identity", ["w"], "same")
        try builder.node("Conv", ["x", "same"], "z", name: "other")
        builder.output("z")
        let graph = try builder.graph()
        let result = try FoldPipeline.standard.run(graph)
        #expect(result.report.entry("bn")?.clonedWeights == true)
        #expect(result.graph.node("other")?.input(1) == "w" && result.graph.constants["same"] == nil)
        #expect(try Comparison(graph, result.graph).error < 1e-6)
    }

    @Test func `a constant that is cast to the type of a value is one`() throws {
        var builder = GraphBuilder(elementType: .float16)
        builder.input("x", [1, 3, 5, 5])
        try builder.weight("w", [4, 3, 3, 3])
        builder.constants["zero"] = Tensor([0] as [Float])
        builder.constants["length"] = Tensor([4] as [Int64])
        try builder.node("CastLike", ["zero", "x"], "typed")
        try builder.node("Expand", ["typed", "length"], "c")
        try builder.node("Conv", ["x", "w", "c"], "h", name: "conv")
        try builder.batchNorm("h", "y", channels: 4)
        builder.output("y")
        let result = try FoldPipeline.standard.run(builder.graph())
        #expect(result.graph.nodes.map(\.name) == ["conv"])
        #expect(result.graph.constants["conv_bias"]?.elementType == .float16)
    }

    @Test func `products of constants that a small file makes large are left alone`() throws {
        var builder = GraphBuilder()
        builder.input("x", [1])
        builder.constants["extents"] = Tensor([1024, 1024] as [Int64])
        try builder.node("ConstantOfShape", ["extents"], "a")
        try builder.node("MatMul", ["a", "a"], "b", name: "product")
        try builder.node("Mul", ["b", "x"], "y")
        builder.output("y")
        let graph = try FoldPipeline.standard.run(builder.graph()).graph
        #expect(graph.count(of: "ConstantOfShape") == 0 && graph.count(of: "MatMul") == 1)
    }
}
