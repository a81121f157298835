import Graph
import Tensors
import Testing

import Folding

/// Small valid models that released fold passes change without a word. The error in a comment is what one of them made.
@Suite struct KnownWrongFoldsTests {
    /// `chains`: how many of arithmetic fold.
    private func expectSame(
        _ builder: GraphBuilder, folded: Int = 0, chains: Int = 0,
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let graph = try builder.graph()
        let result = try FoldPipeline.standard.run(graph)
        #expect(result.report.foldedCount == folded, sourceLocation: sourceLocation)
        #expect(result.report.foldedChainCount == chains, sourceLocation: sourceLocation)
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

    @Test func `a Gemm with a second reader, Reshape and Mul`() throws {
        // 1.5: the other reader's values must not be scaled.
        var builder = try FoldIntoGemmTests.builder(bias: [5])
        try builder.node("Relu", ["h"], "z")
        builder.output("z")
        try expectSame(builder, folded: 0)
        var reshaped = GraphBuilder()
        reshaped.input("x", [2, 3])
        try reshaped.weight("w", [3, 4])
        try reshaped.node("Gemm", ["x", "w"], "h")
        try reshaped.node("Relu", ["h"], "z")
        reshaped.output("z")
        reshaped.constants["shape"] = Tensor([2, 4, 1, 1] as [Int64])
        try reshaped.node("Reshape", ["h", "shape"], "r")
        try reshaped.weight("k", [1, 4, 1, 1])
        try reshaped.node("Mul", ["r", "k"], "y")
        reshaped.output("y")
        try expectSame(reshaped, chains: 0)
    }

    /// x → a 3×3 convolution with as many rows and columns as output channels → h → one operator with k → y.
    private func arithmetic(_ type: String, shape: [Int], isConstantFirst: Bool) throws -> GraphBuilder {
        var builder = GraphBuilder()
        builder.input("x", [1, 2, 3, 3])
        try builder.weight("w", [3, 2, 3, 3])
        try builder.weight("c", [3])
        try builder.node("Conv", ["x", "w", "c"], "h", ["pads": .integers([1, 1, 1, 1])])
        try builder.constant("k", builder.reals(shape.reduce(1, *), in: 0.5...2), shape)
        try builder.node(type, isConstantFirst ? ["k", "h"] : ["h", "k"], "y")
        builder.output("y")
        return builder
    }

    @Test(arguments: [[], [3, 1, 1], [1, 3, 1, 1]])
    func `k − conv`(_ shape: [Int]) throws {
        // 28.5: the kernel not negated.
        try expectSame(arithmetic("Sub", shape: shape, isConstantFirst: true), chains: 1)
    }

    @Test(arguments: [[], [3, 1, 1], [1, 3, 1, 1]])
    func `k over conv`(_ shape: [Int]) throws {
        // 141.6: it is no affine of the convolution, whichever way it is taken.
        try expectSame(arithmetic("Div", shape: shape, isConstantFirst: true), chains: 0)
        try expectSame(arithmetic("Div", shape: shape, isConstantFirst: false), chains: 1)
    }

    @Test func `k − MatMul, and k over MatMul`() throws {
        for type in ["Sub", "Div"] {
            for shape in [[], [4]] {
                var builder = GraphBuilder()
                builder.input("x", [4, 4])
                try builder.weight("w", [4, 4])
                try builder.node("MatMul", ["x", "w"], "h")
                try builder.constant("k", builder.reals(shape.reduce(1, *), in: 0.5...2), shape)
                try builder.node(type, ["k", "h"], "y")
                builder.output("y")
                try expectSame(builder, chains: type == "Sub" ? 1 : 0)
            }
        }
    }

    @Test(arguments: [[1, 1, 3, 3], [3, 3]])
    func `Mul by a plane of a 3×3 convolution with a 3×3 input`(_ shape: [Int]) throws {
        // 11.5: a plane of the input taken for one of the kernel.
        try expectSame(arithmetic("Mul", shape: shape, isConstantFirst: false), chains: 0)
        var builder = GraphBuilder()
        builder.input("x", [1, 2, 3, 3])
        try builder.weight("k", shape)
        try builder.node("Mul", ["x", "k"], "h")
        try builder.weight("w", [3, 2, 3, 3])
        try builder.node("Conv", ["h", "w"], "y", ["pads": .integers([1, 1, 1, 1])])
        builder.output("y")
        try expectSame(builder, chains: 0)
    }

    @Test(arguments: [[3], [1, 3], [1, 1, 3], [1, 1, 1, 3]])
    func `Mul by as many columns as a convolution has channels`(_ shape: [Int]) throws {
        // 6.1: the columns taken for the channels.
        for type in ["Mul", "Add", "Sub", "Div"] {
            try expectSame(arithmetic(type, shape: shape, isConstantFirst: false), chains: 0)
        }
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
