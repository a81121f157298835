import Graph
import Tensors
import Testing

import Folding

@Suite struct RecogniseChannelArithmeticTests {
    /// x → conv → the operator with the constant "k" → y, with as many channels as rows and columns.
    static func builder(
        _ type: String, shape: [Int], isConstantFirst: Bool = false, elementType: ElementType = .float32
    ) throws -> GraphBuilder {
        var builder = GraphBuilder(elementType: elementType)
        builder.input("x", [2, 3, 4, 4])
        try builder.weight("w", [4, 3, 1, 1])
        try builder.node("Conv", ["x", "w"], "h", name: "conv")
        try builder.constant("k", builder.reals(shape.reduce(1, *), in: 0.5...2), shape)
        try builder.node(type, isConstantFirst ? ["k", "h"] : ["h", "k"], "y", name: "arithmetic")
        builder.output("y")
        return builder
    }

    static func folded(_ builder: GraphBuilder) throws -> FoldResult {
        let graph = try builder.graph()
        let result = try FoldPipeline.standard.run(graph)
        #expect(try Comparison(graph, result.graph).error < tolerance(builder.elementType))
        return result
    }

    /// Every node and constant is what it was.
    static func expectUnchanged(_ builder: GraphBuilder, sourceLocation: SourceLocation = #_sourceLocation)
        throws
    {
        let graph = try builder.graph()
        let result = try FoldPipeline.standard.run(graph)
        #expect(result.graph.nodes.map(\.name) == graph.nodes.map(\.name), sourceLocation: sourceLocation)
        #expect(result.graph.nodes.map(\.type) == graph.nodes.map(\.type), sourceLocation: sourceLocation)
        #expect(result.graph.nodes.map(\.inputs) == graph.nodes.map(\.inputs), sourceLocation: sourceLocation)
        #expect(
            result.graph.nodes.map(\.identifier) == graph.nodes.map(\.identifier),
            sourceLocation: sourceLocation)
        #expect(Set(result.graph.constants.keys) == Set(graph.constants.keys), sourceLocation: sourceLocation)
        #expect(result.report.foldedChainCount == 0, sourceLocation: sourceLocation)
    }

    @Test(arguments: [[], [1], [1, 1], [1, 1, 1, 1], [4, 1, 1], [1, 4, 1, 1]])
    func `folds on either side in every shape that differs along the channels alone`(_ shape: [Int]) throws {
        for type in ["Mul", "Add", "Sub", "Div"] {
            for isConstantFirst in [false, true] where !(type == "Div" && isConstantFirst) {
                let result = try Self.folded(
                    Self.builder(type, shape: shape, isConstantFirst: isConstantFirst))
                #expect(result.graph.nodes.map(\.name) == ["conv"], "\(type)\(shape)")
                #expect(result.report.entries.isEmpty && result.report.foldedCount == 0)
                #expect(result.report.chains.map(\.chain?.operators) == [[type]])
                #expect(result.report.notice == nil)
            }
        }
    }

    @Test(arguments: [
        [4], [1, 4], [4, 1], [1, 4, 1], [1, 1, 1, 4], [2, 1, 1, 1], [2, 4, 1, 1], [1, 1, 4, 4], [4, 4, 4],
        [1, 1, 4, 1, 1],
    ])
    func `leaves what differs along another axis, or enlarges the value`(_ shape: [Int]) throws {
        for type in ["Mul", "Add", "Sub", "Div"] {
            try Self.expectUnchanged(Self.builder(type, shape: shape))
        }
    }

    @Test func `leaves a constant over a value`() throws {
        for shape in [[], [4, 1, 1]] {
            try Self.expectUnchanged(Self.builder("Div", shape: shape, isConstantFirst: true))
        }
    }

    @Test func `leaves a channel where the value might be broadcast`() throws {
        var builder = GraphBuilder()
        builder.input("x", [.known(1), .unknown])
        try builder.weight("k", [3])
        try builder.node("Mul", ["x", "k"], "h")
        try builder.node("Add", ["h", "k"], "y")
        builder.output("y")
        try Self.expectUnchanged(builder)
    }

    @Test func `leaves a constant that a caller may override, or that is not finite, or no divisor`() throws {
        var overridable = try Self.builder("Mul", shape: [4, 1, 1])
        overridable.overridable = ["k"]
        try Self.expectUnchanged(overridable)
        for value in [Double.infinity, .nan, 0] {
            var builder = try Self.builder("Div", shape: [4, 1, 1])
            try builder.constant("k", [1, value, 1, 1], [4, 1, 1])
            try Self.expectUnchanged(builder)
        }
    }

    @Test func `leaves arithmetic that nothing takes, in its order, beside a fold`() throws {
        var builder = try Self.builder("Mul", shape: [4, 1, 1])
        try builder.node("Relu", ["y"], "r", name: "relu")
        try builder.weight("b", [4, 1, 1])
        try builder.node("Add", ["r", "b"], "s", name: "shift")
        try builder.node("Div", ["s", "k"], "t", name: "scale")
        try builder.node("Sigmoid", ["r"], "u", name: "beside")
        try builder.node("Mul", ["t", "u"], "z", name: "gate")
        builder.output("z")
        builder.outputs.removeFirst()
        let folded = try Self.folded(builder)
        #expect(folded.report.foldedChainCount == 1)
        #expect(Set(folded.graph.nodes.map(\.name)) == ["conv", "relu", "shift", "scale", "beside", "gate"])
        #expect(folded.graph.node("scale")?.inputs == ["s", "k"])
        let refused = try #require(folded.report.chains.first { $0.outcome == .refused })
        #expect(refused.chain?.nodes == ["shift", "scale"] && refused.blockedBy == "beside")
    }

    /// A batch normalization as a Keras export has it.
    static func decomposed(_ builder: inout GraphBuilder, _ value: String, _ output: String, shape: [Int])
        throws
    {
        try builder.constant("mean", builder.reals(shape.reduce(1, *)), shape)
        try builder.constant("variance", builder.reals(shape.reduce(1, *), in: 0.1...2), shape)
        try builder.constant("epsilon", [1e-3], [])
        try builder.weight("gamma", shape)
        try builder.weight("beta", shape)
        try builder.node("Sub", [value, "mean"], "centred", name: "sub")
        try builder.node("Add", ["variance", "epsilon"], "sum")
        try builder.node("Sqrt", ["sum"], "root")
        try builder.node("Reciprocal", ["root"], "inverse")
        try builder.node("Mul", ["inverse", "gamma"], "factor")
        try builder.node("Mul", ["centred", "factor"], "scaled", name: "mul")
        try builder.node("Add", ["scaled", "beta"], output, name: "add")
    }

    @Test func `a decomposed normalization is told as what it is`() throws {
        var builder = GraphBuilder()
        builder.input("x", [2, 3, 5, 5])
        try builder.weight("w", [4, 3, 3, 3])
        try builder.node("Conv", ["x", "w"], "h", name: "conv")
        try Self.decomposed(&builder, "h", "y", shape: [1, 4, 1, 1])
        builder.output("y")
        let result = try Self.folded(builder)
        #expect(result.graph.nodes.map(\.name) == ["conv"])
        let entry = try #require(result.report.chains.first)
        #expect(entry.chain?.description == "recognised Sub → Mul → Add as an affine like BatchNormalization")
        #expect(entry.chain?.nodes == ["sub", "mul", "add"] && entry.rule == "batchnorm-into-conv")
        #expect(entry.channelCount == 4 && entry.producer == "conv")
        let report = FoldMeasurement.measure(original: try builder.graph(), result: result)
        #expect((report.chains[0].measuredRelativeError ?? 1) < 1e-6)
    }

    @Test func `channels last behind a transpose fold into the convolution before it`() throws {
        for extent in [4, 5] {
            var builder = GraphBuilder()
            builder.input("x", [2, 3, extent, extent])
            try builder.weight("w", [4, 3, 1, 1])
            try builder.node("Conv", ["x", "w"], "h", name: "conv")
            try builder.node("Transpose", ["h"], "t", name: "transpose", ["perm": .integers([0, 2, 3, 1])])
            try Self.decomposed(&builder, "t", "y", shape: [4])
            builder.output("y")
            let result = try Self.folded(builder)
            #expect(result.graph.nodes.map(\.name) == ["conv", "transpose"])
            #expect(result.report.foldedChainCount == 1)
            let report = FoldMeasurement.measure(original: try builder.graph(), result: result)
            #expect((report.chains[0].measuredRelativeError ?? 1) < 1e-6)
        }
    }

    @Test func `a squeeze or a reshape that keeps the channels is looked through`() throws {
        for (type, target, shape) in [
            ("Squeeze", [3], [4, 1]), ("Unsqueeze", [2], [4, 1, 1, 1]), ("Reshape", [2, 4, 5], [4, 1]),
            ("Reshape", [1, 2, 4, 5, 1], [4, 1, 1]), ("Reshape", [8, 5], [8, 1]), ("Reshape", [2, 20], [20]),
            ("Reshape", [2, 2, 2, 5], [2, 1, 1]), ("Reshape", [2, 5, 4], [4]),
            ("Reshape", [2, 5, 4], [5, 1]),
        ] as [(String, [Int64], [Int])] {
            var builder = GraphBuilder()
            builder.input("x", [2, 3, 5, 1])
            try builder.weight("w", [4, 3, 1, 1])
            try builder.node("Conv", ["x", "w"], "h", name: "conv")
            builder.constants["target"] = Tensor(target)
            try builder.node(type, ["h", "target"], "t", name: "view")
            try Self.decomposed(&builder, "t", "y", shape: shape)
            builder.output("y")
            let result = try Self.folded(builder)
            #expect(
                result.report.foldedChainCount
                    == (shape == [2, 1, 1] || (shape[0] == 4 && shape.count > 1) ? 1 : 0),
                "\(target)\(shape)")
        }
    }

    @Test func `an instance normalization with running statistics folds through its reshape`() throws {
        for isRepeated in [true, false] {
            var builder = GraphBuilder()
            builder.input("x", [2, 3, 4, 4])
            try builder.weight("w", [3, 3, 1, 1])
            try builder.node("Conv", ["x", "w"], "h", name: "conv")
            builder.constants["merged"] = Tensor([1, 6, 4, 4] as [Int64])
            builder.constants["apart"] = Tensor([2, 3, 4, 4] as [Int64])
            try builder.node("Reshape", ["h", "merged"], "m", name: "merge")
            var parameters = (0..<4).map { _ in builder.reals(3, in: 0.5...2) }.map { $0 + $0 }
            if !isRepeated { parameters[2][5] += 1 }
            try builder.batchNorm(
                "m", "b", scale: parameters[0], bias: parameters[1], mean: parameters[2],
                variance: parameters[3], name: "bn")
            try builder.node("Reshape", ["b", "apart"], "y", name: "split")
            builder.output("y")
            let result = try Self.folded(builder)
            #expect(result.report.foldedCount == (isRepeated ? 1 : 0))
        }
    }

    @Test func `the last axis of a dense layer is its output, whatever the rank`() throws {
        for input in [[3, 4], [2, 4, 4], [2, 4, 4, 4]] {
            for hasBias in [false, true] {
                var builder = GraphBuilder()
                builder.input("x", input)
                try builder.weight("w", [4, 4])
                try builder.node("MatMul", ["x", "w"], hasBias ? "p" : "h", name: "product")
                if hasBias {
                    try builder.weight("c", [4])
                    try builder.node("Add", ["c", "p"], "h", name: "sum")
                }
                try Self.decomposed(&builder, "h", "y", shape: [4])
                builder.output("y")
                let result = try Self.folded(builder)
                #expect(result.graph.nodes.map(\.type) == ["MatMul", "Add"])
                #expect(result.report.foldedChainCount == 1)
            }
        }
    }

    @Test func `the bias of a product is left alone`() throws {
        for (type, isFirst) in [("Add", false), ("Add", true), ("Sub", false)] {
            var builder = GraphBuilder()
            builder.input("x", [2, 4, 4])
            try builder.weight("w", [4, 4])
            try builder.node("MatMul", ["x", "w"], "p", name: "product")
            try builder.weight("c", [4])
            try builder.node(type, isFirst ? ["c", "p"] : ["p", "c"], "y", name: "sum")
            builder.output("y")
            try Self.expectUnchanged(builder)
        }
    }

    @Test func `mixed precision folds through the casts`() throws {
        for isLast in [false, true] {
            var builder = GraphBuilder(elementType: .float16)
            builder.input("x", [2, 3, 4, 4])
            try builder.weight("w", [4, 3, 1, 1])
            try builder.node("Conv", ["x", "w"], "h", name: "conv")
            try builder.node("Cast", ["h"], "wide", name: "up", ["to": .integer(1)])
            builder.elementType = .float32
            try Self.decomposed(&builder, "wide", isLast ? "y" : "normal", shape: [4, 1, 1])
            if !isLast { try builder.node("Cast", ["normal"], "y", name: "down", ["to": .integer(10)]) }
            builder.output("y")
            if !isLast { builder.outputs = [Graph.Port(name: "y", info: ValueInfo(.float16, nil))] }
            if isLast {
                let refused = try FoldPipeline.standard.run(builder.graph())
                #expect(refused.report.chains.first?.blockedBy == "up")
                continue
            }
            builder.elementType = .float16
            let result = try Self.folded(builder)
            #expect(result.graph.nodes.map(\.name) == ["conv"])
            #expect(result.report.foldedChainCount == 1)
        }
    }

    @Test func `steps that would overflow in float16 are taken together`() throws {
        var builder = GraphBuilder(elementType: .float16)
        builder.input("x", [1, 1, 1, 1])
        try builder.constant("w", [100], [1, 1, 1, 1])
        try builder.node("Conv", ["x", "w"], "h", name: "conv")
        try builder.constant("large", [6e4], [])
        try builder.constant("small", [6e4], [])
        try builder.node("Mul", ["h", "large"], "m")
        try builder.node("Div", ["m", "small"], "y")
        builder.output("y")
        let result = try Self.folded(builder)
        #expect(result.graph.nodes.map(\.name) == ["conv"])
        #expect(result.graph.constants["w"]?.reals == [100])
    }

    @Test func `a product beyond float16 stays apart`() throws {
        var builder = GraphBuilder(elementType: .float16)
        builder.input("x", [1, 1, 2, 2])
        try builder.node("Relu", ["x"], "h")
        try builder.batchNorm(
            "h", "b", scale: [1], bias: [0], mean: [0], variance: [1e-6], ["epsilon": .real(0)])
        try builder.constant("k", [100], [])
        try builder.node("Mul", ["b", "k"], "y", name: "mul")
        builder.output("y")
        let result = try Self.folded(builder)
        #expect(result.graph.nodes.map(\.type) == ["Relu", "Affine", "Mul"])
    }

    @Test func `an input normalisation without a fold is left as it is`() throws {
        var builder = GraphBuilder()
        builder.input("x", [.symbol("N"), .known(3), .known(8), .known(8)])
        try builder.weight("mean", [1, 3, 1, 1])
        try builder.constant("deviation", [0.2, 0.3, 0.4], [1, 3, 1, 1])
        try builder.node("Sub", ["x", "mean"], "c")
        try builder.node("Div", ["c", "deviation"], "d")
        try builder.node("Relu", ["d"], "y")
        builder.output("y")
        try Self.expectUnchanged(builder)
        let chain = try FoldPipeline.standard.run(builder.graph()).report.chains.first
        #expect(chain?.outcome == .refused && chain?.reason?.hasPrefix("no node precedes it") == true)
    }
}
