import Graph
import Tensors
import Testing

import Folding

@Suite struct RecogniseBatchNormalizationTests {
    /// x → relu → bn → y: nothing can absorb it, so that what is left is the recognition's work.
    static func builder(_ dimensions: [Dimension]?, channels: Int = 3) throws -> GraphBuilder {
        var builder = GraphBuilder()
        builder.input("x", dimensions)
        try builder.node("Relu", ["x"], "h", name: "relu")
        try builder.batchNorm("h", "y", channels: channels, name: "bn")
        builder.output("y")
        return builder
    }

    static let image = [2, 3, 4, 4].map(Dimension.known)

    @Test func `becomes an affine that remembers its source`() throws {
        var builder = try Self.builder(Self.image)
        try builder.batchNorm(
            "h", "y2", scale: [2, -1, 0], bias: [1, 2, 3], mean: [4, 5, 6], variance: [4, 1, 9], name: "bn2",
            ["epsilon": .real(0)])
        builder.output("y2")
        let graph = try builder.graph()
        let result = try FoldPipeline.standard.run(graph)
        let node = try #require(result.graph.node("bn2"))
        let affine = try #require(node.operation as? Affine)
        #expect(affine.scale == [1, -1, 0] && affine.shift == [-3, 7, 3] && affine.axis == 1)
        #expect(node.sources.map(\.type) == ["BatchNormalization"])
        #expect(try Comparison(graph, result.graph).error < 1e-14)
        let entry = try #require(result.report.entry("bn2"))
        #expect(entry.outcome == .refused && entry.scaleMaximum == 1 && entry.minimumVariancePlusEpsilon == 1)
    }

    @Test func `every rank from two on, and an unknown one, is recognised`() throws {
        for dimensions in [[2, 3], [2, 3, 4], [2, 3, 4, 4], [2, 3, 2, 2, 2]] {
            let graph = try Self.builder(dimensions.map(Dimension.known)).graph()
            let result = try FoldPipeline.standard.run(graph)
            #expect(result.graph.count(of: "Affine") == 1)
            #expect(try Comparison(graph, result.graph).error < 1e-14)
        }
        #expect(try FoldPipeline.standard.run(Self.builder(nil).graph()).graph.count(of: "Affine") == 1)
    }

    @Test func `stays when its input's rank leaves open which axis is meant`() throws {
        let graph = try Self.builder(nil, channels: 1).graph()
        let result = try FoldPipeline.standard.run(graph)
        #expect(result.report.entry("bn")?.reason == "the rank of its input is not known")
        #expect(result.graph.count(of: "BatchNormalization") == 1)
    }

    @Test func `stays for a vector`() throws {
        let builder = try Self.builder([.known(4)], channels: 1)
        try expectRefusal(builder, "its input has rank 1")
    }

    @Test(arguments: [("gamma", "scale"), ("beta", "bias"), ("mean", "mean"), ("variance", "variance")])
    func `stays when a parameter is not constant`(_ c: (String, String)) throws {
        var overridden = try Self.builder(Self.image)
        overridden.overridable = ["bn.\(c.0)"]
        try expectRefusal(overridden, "a caller may override the \(c.1)", blockedBy: "bn.\(c.0)")

        var given = try Self.builder(Self.image)
        given.constants["bn.\(c.0)"] = nil
        given.input("v", [3])
        try given.node("Sigmoid", ["v"], "bn.\(c.0)", name: "computed")
        try expectRefusal(given, "the \(c.1) is not constant, a node computes it", blockedBy: "computed")
    }

    @Test func `stays when variance and epsilon are not positive`() throws {
        for (variance, epsilon, sum) in [(-1, 0.5, -0.5), (0, 0, 0.0)] as [(Double, Float, Double)] {
            var builder = try Self.builder(Self.image)
            builder.nodes.removeLast()
            try builder.batchNorm(
                "h", "y", scale: [1, 1, 1], bias: [0, 0, 0], mean: [0, 0, 0], variance: [1, variance, 1],
                name: "bn", ["epsilon": .real(epsilon)])
            let result = try FoldPipeline.standard.run(builder.graph())
            #expect(
                result.report.entry("bn")?.reason
                    == "variance + epsilon is \(sum) in channel 1, expected more than 0")
            #expect(result.graph.count(of: "BatchNormalization") == 1)
        }
    }

    @Test func `stays when a parameter is not finite`() throws {
        for value in [Double.infinity, .nan] {
            for role in ["gamma", "beta", "mean", "variance"] where !(role == "variance" && value.isNaN) {
                var builder = try Self.builder(Self.image)
                try builder.constant("bn.\(role)", [1, 1, value], [3])
                let result = try FoldPipeline.standard.run(builder.graph())
                #expect(result.report.entry("bn")?.reason == "its parameters are not finite in channel 2")
            }
        }
        var builder = try Self.builder(Self.image)
        try builder.constant("bn.variance", [1, 1, .nan], [3])
        let result = try FoldPipeline.standard.run(builder.graph())
        #expect(result.report.entry("bn")?.outcome == .refused)
    }

    @Test func `wrong lengths are refused with the graph`() throws {
        var builder = try Self.builder(Self.image)
        try builder.constant("bn.beta", [1, 2], [2])
        let graph = try builder.graph()
        #expect(throws: GraphError.self) { try FoldPipeline.standard.run(graph) }
    }

    @Test func `training mode cannot be loaded`() throws {
        var builder = GraphBuilder()
        builder.input("x", [2, 3, 4, 4])
        #expect(throws: GraphError.self) {
            try builder.batchNorm("x", "y", channels: 3, ["training_mode": .integer(1)])
        }
    }
}
