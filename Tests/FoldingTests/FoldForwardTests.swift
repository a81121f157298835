import Graph
import Tensors
import Testing

import Folding

/// What every forward fold keeps to, whichever operators take part.
@Suite struct FoldForwardTests {
    @Test func `all consumers take it or none, and the one that does not is named`() throws {
        var network = try ForwardNetwork([1, 3, 5, 5])
        try network.convolution("h", "y", weight: [2, 3, 3, 3])
        try network.node("Flatten", ["h"], "f")
        try network.builder.weight("w", [75, 2])
        try network.node("Gemm", ["f", "w"], "z")
        try network.expectFolded(
            rule: "batchnorm-forward-into-conv-and-gemm", consumer: "conv_y, gemm_z", outputs: ["y", "z"])
        try network.node("Sigmoid", ["h"], "s")
        try network.expectStays("Sigmoid 'sigmoid_s' cannot take it", outputs: ["y", "z", "s"])
    }

    @Test func `refuses when its value, or one that it passes, is a graph output`() throws {
        var network = try ForwardNetwork([1, 3, 5, 5])
        try network.node("GlobalAveragePool", ["h"], "p")
        try network.convolution("p", "y", weight: [2, 3, 1, 1])
        try network.expectStays("its value 'h' is a graph output", outputs: ["y", "h"])
        try network.expectStays("its value 'p' is a graph output", outputs: ["y", "p"])
        try network.expectFolded(rule: "batchnorm-forward-into-conv")
    }

    @Test func `the reason has both directions`() throws {
        var network = try ForwardNetwork([1, 3, 5, 5])
        try network.node("Sigmoid", ["h"], "y")
        network.builder.output("y")
        let entry = try #require(FoldPipeline.standard.run(network.builder.graph()).report.entry("bn"))
        #expect(
            entry.reason == """
                no node precedes it, only Conv, ConvTranspose, Gemm and MatMul can absorb it backward; \
                forward: Sigmoid 'sigmoid_y' cannot take it
                """)
    }

    @Test func `a value that changes has another name, and a value that does not keeps its own`() throws {
        var network = try ForwardNetwork([1, 3, 5, 5], scales: .positive)
        try network.node("MaxPool", ["h"], "p", ["kernel_shape": .integers([2, 2])])
        try network.convolution("p", "y", weight: [2, 3, 3, 3], ["pads": .integers([1, 1, 1, 1])])
        let graph = try network.expectFolded(rule: "batchnorm-forward-into-conv").graph
        let values = Set(graph.nodes.flatMap(\.outputs).compactMap { $0 })
        #expect(values.isDisjoint(with: ["h", "p"]) && values.contains("y"))
        #expect(graph.constants["y.w"] == nil)
    }

    @Test func `a producer has it before a consumer`() throws {
        var builder = GraphBuilder()
        builder.input("x", [1, 3, 5, 5])
        for name in ["first", "second"] { try builder.weight(name, [3, 3, 1, 1]) }
        try builder.node("Conv", ["x", "first"], "c", name: "producer")
        try builder.batchNorm(
            "c", "h", scale: [1, 2, -3], bias: [1, 0, 1], mean: [0, 0, 1], variance: [1, 1, 2], name: "bn")
        try builder.node("Conv", ["h", "second"], "y", name: "consumer")
        builder.output("y")
        let result = try FoldPipeline.standard.run(builder.graph())
        #expect(result.report.entry("bn")?.producer == "producer")
        #expect(result.graph.node("consumer")?.inputs[1] == "second")
    }

    @Test func `two with a pool between them go into one convolution`() throws {
        var network = try ForwardNetwork([1, 3, 5, 5])
        try network.node("AveragePool", ["h"], "p", ["kernel_shape": .integers([2, 2])])
        try network.builder.batchNorm("p", "q", channels: 3, name: "next")
        try network.convolution("q", "y", weight: [2, 3, 3, 3])
        let report = try network.expectFolded(rule: "batchnorm-forward-into-conv").report
        #expect(report.foldedCount == 2)
    }

    @Test func `one goes into the next that has to stay`() throws {
        var network = try ForwardNetwork([1, 3, 5, 5])
        try network.node("AveragePool", ["h"], "p", ["kernel_shape": .integers([2, 2])])
        try network.builder.batchNorm("p", "q", channels: 3, name: "next")
        try network.node("Relu", ["q"], "y")
        network.builder.output("y")
        let graph = try network.builder.graph()
        let result = try FoldPipeline.standard.run(graph)
        #expect(result.graph.nodes.map(\.type) == ["AveragePool", "Affine", "Relu"])
        #expect(result.report.entry("bn")?.outcome == .partial)
        #expect(result.report.entry("next")?.reason?.contains("Relu 'relu_y'") == true)
        #expect(try Comparison(graph, result.graph).error < 1e-12)
    }

    @Test func `reports where the piece begins when a producer took the next one`() throws {
        var network = try ForwardNetwork([1, 3, 5, 5])
        try network.convolution("h", "c", weight: [2, 3, 3, 3])
        try network.builder.batchNorm("c", "y", channels: 2, name: "next")
        let result = try network.expectFolded(rule: "batchnorm-forward-into-conv")
        #expect(result.report.entry("next")?.input == "x" && result.report.entry("next")?.output == "y")
        var builder = network.builder
        builder.output("y")
        let report = FoldMeasurement.measure(original: try builder.graph(), result: result)
        for entry in report.entries { #expect((entry.measuredRelativeError ?? 1) < 1e-12, "\(entry)") }
    }

    @Test func `forward folds are measured`() throws {
        var networks: [ForwardNetwork] = []
        for pads in [0, 1] as [Int64] {
            var network = try ForwardNetwork([2, 3, 40, 40], elementType: .float32)
            try network.convolution(
                "h", "y", weight: [2, 3, 3, 3], ["pads": .integers([pads, pads, pads, pads])])
            networks.append(network)
        }
        var dense = try ForwardNetwork(
            [.symbol("N"), .known(3), .known(2), .known(2)], elementType: .float32)
        try dense.node("Flatten", ["h"], "f")
        try dense.builder.weight("w", [12, 3])
        try dense.node("MatMul", ["f", "w"], "y")
        networks.append(dense)
        for network in networks {
            var builder = network.builder
            builder.output("y")
            let graph = try builder.graph()
            let report = FoldMeasurement.measure(
                original: graph, result: try FoldPipeline.standard.run(graph))
            let error = try #require(report.entry("bn")?.measuredRelativeError)
            #expect(error > 0 && error < 1e-6)
        }
    }

    @Test func `more nodes than are followed`() throws {
        var network = try ForwardNetwork([1, 1, 4], scales: .positive)
        let outputs = (0..<129).map { "y\($0)" }
        for output in outputs {
            try network.node("ReduceMean", ["h"], "m" + output, ["axes": .integers([2])])
            try network.convolution("m" + output, output, weight: [1, 1, 1])
        }
        try network.expectFolded(
            rule: "batchnorm-forward-into-conv", outputs: Array(outputs.dropLast()), seeds: 1)
        try network.expectStays("more than 256 nodes depend on it", outputs: outputs)
    }

    @Test func `folding a folded graph changes nothing`() throws {
        var network = try ForwardNetwork([1, 3, 5, 5])
        try network.convolution("h", "y", weight: [2, 3, 3, 3], ["pads": .integers([1, 1, 1, 1])])
        let once = try network.expectFolded(rule: "batchnorm-forward-into-conv").graph
        let twice = try FoldPipeline.standard.run(once).graph
        #expect(twice.nodes.map(\.inputs) == once.nodes.map(\.inputs))
    }
}
