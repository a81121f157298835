import Graph
import Tensors
import Testing

import Folding

/// Small valid models that released fold passes change without a word. The error in a comment is what one of them made.
@Suite struct KnownWrongFoldsTests {
    private func expectSame(
        _ builder: GraphBuilder, folded: Int, sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let graph = try builder.graph()
        let result = try FoldPipeline.standard.run(graph)
        #expect(result.report.foldedCount == folded, sourceLocation: sourceLocation)
        #expect(
            try Comparison(graph, result.graph).error < tolerance(builder.elementType),
            sourceLocation: sourceLocation)
    }

    @Test func `MatMul, Transpose, BN with M = N`() throws {
        // 2.2: the transpose moves the channel axis.
        var builder = GraphBuilder()
        builder.input("x", [4, 4])
        try builder.weight("w", [4, 4])
        try builder.node("MatMul", ["x", "w"], "p")
        try builder.node("Transpose", ["p"], "t", ["perm": .integers([1, 0])])
        try builder.batchNorm("t", "y", channels: 4)
        builder.output("y")
        try expectSame(builder, folded: 0)
    }

    @Test func `MatMul, Reshape, BN`() throws {
        // 8.6: column j is part of channel ⌊j/2⌋.
        var builder = GraphBuilder()
        builder.input("x", [2, 4])
        try builder.weight("w", [4, 8])
        builder.constants["shape"] = Tensor([2, 4, 2] as [Int64])
        try builder.node("MatMul", ["x", "w"], "p")
        try builder.node("Reshape", ["p", "shape"], "r")
        try builder.batchNorm("r", "y", channels: 4)
        builder.output("y")
        try expectSame(builder, folded: 1)
    }

    @Test func `a float16 weight that overflows`() throws {
        var builder = GraphBuilder(elementType: .float16)
        builder.input("x", [1, 1, 1, 1])
        try builder.constant("w", [1000], [1, 1, 1, 1])
        try builder.node("Conv", ["x", "w"], "h")
        try builder.batchNorm(
            "h", "y", scale: [1], bias: [0], mean: [0], variance: [0.0001], ["epsilon": .real(0)])
        builder.output("y")
        let graph = try builder.graph()
        let result = try FoldPipeline.standard.run(graph)
        let input = ["x": ExactTensor(reals: [0.01], shape: try Shape([1, 1, 1, 1]), elementType: .float16)]
        let evaluator = Evaluator(rounding: .declared)
        let before = try #require(try evaluator.run(graph, inputs: input)["y"]?.reals)
        let after = try #require(try evaluator.run(result.graph, inputs: input)["y"]?.reals)
        #expect(before[0].isFinite && after[0].isFinite && abs(before[0] - after[0]) < 1)
        #expect(result.report.refusedCount == 1)
    }

    @Test func `ConvTranspose with as many input as output channels`() throws {
        // 2.7: dimension 0 scaled instead of 1.
        try expectSame(
            FoldIntoConvTransposeTests.builder(input: [1, 4, 3, 3], weight: [4, 4, 3, 3]), folded: 1)
    }

    @Test func `Linear and BN on (N, L, F) with L = F`() throws {
        // 3.0: the normalization is over L.
        try expectSame(
            FoldIntoMatMulTests.builder(input: [2, 4, 3], weight: [3, 4], channels: 4), folded: 0)
        try expectSame(
            FoldIntoMatMulAddTests.builder(input: [2, 4, 3], weight: [3, 4], bias: [4], channels: 4),
            folded: 0)
    }

    @Test func `one convolution read by two BNs`() throws {
        // 11.9: one weight cannot hold two scales.
        var builder = try FoldIntoConvTests.builder(input: [1, 3, 5, 5], weight: [4, 3, 3, 3])
        try builder.batchNorm("h", "z", channels: 4)
        builder.output("z")
        try expectSame(builder, folded: 0)
        let report = try FoldPipeline.standard.run(builder.graph()).report
        #expect(report.entries.map(\.blockedBy) == ["bn_z", "bn"])
    }

    @Test func `grouped ConvTranspose with several outputs in each group`() throws {
        // 8.3: the channel of W[i, j] depends on the group of i.
        try expectSame(
            FoldIntoConvTransposeTests.builder(input: [1, 4, 3, 3], weight: [4, 3, 2, 2], group: 2), folded: 1
        )
    }

    @Test func `a Gemm with a second reader`() throws {
        // 1.5
        var builder = try FoldIntoGemmTests.builder(bias: [5])
        try builder.node("Relu", ["h"], "z")
        builder.output("z")
        try expectSame(builder, folded: 0)
    }

    @Test func `BN in training mode`() throws {
        // 8.3: such a model is refused as a whole.
        var builder = GraphBuilder()
        builder.input("x", [2, 3, 4, 4])
        #expect(throws: GraphError.self) {
            try builder.batchNorm("x", "y", channels: 3, ["training_mode": .integer(1)])
        }
    }

    @Test func `variance and epsilon below zero`() throws {
        // NaN in every weight.
        var builder = try FoldIntoConvTests.builder(input: [1, 3, 5, 5], weight: [4, 3, 3, 3])
        try builder.constant("bn.variance", [1, 1, -1, 1], [4])
        let result = try FoldPipeline.standard.run(builder.graph())
        #expect(result.report.refusedCount == 1)
        #expect(result.graph.constants["w"]?.reals.allSatisfy(\.isFinite) == true)
    }

    @Test func `a ReLU between convolution and BN`() throws {
        var builder = GraphBuilder()
        builder.input("x", [1, 3, 5, 5])
        try builder.weight("w", [4, 3, 3, 3])
        try builder.node("Conv", ["x", "w"], "h")
        try builder.node("Relu", ["h"], "r")
        try builder.batchNorm("r", "y", channels: 4)
        builder.output("y")
        try expectSame(builder, folded: 0)
    }

    @Test func `a zero bias built by Shape and Expand`() throws {
        var builder = GraphBuilder()
        builder.input("x", [1, 3, 5, 5])
        try builder.weight("w", [4, 3, 3, 3])
        try builder.constant("zero", [0], [1])
        builder.constants["length"] = Tensor([4] as [Int64])
        try builder.node("Expand", ["zero", "length"], "c")
        try builder.node("Conv", ["x", "w", "c"], "h")
        try builder.batchNorm("h", "y", channels: 4)
        builder.output("y")
        try expectSame(builder, folded: 1)
    }
}
