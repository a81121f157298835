import Graph
import Tensors
import Testing

import Folding

/// What holds for every way back: names, limits, and what is left alone.
@Suite struct FoldBackwardTests {
    /// A convolution, so many nodes that do nothing to its signs, and a scale.
    private func chain(_ count: Int) throws -> BackwardNetwork {
        var network = BackwardNetwork()
        try network.convolution("h", [1, 2, 1, 1])
        var value = "h"
        for index in 0..<count {
            value = try network.builder.node("Relu", [value], "r\(index)", name: "relu\(index)")
        }
        try network.normalize(value, channels: 2, scales: .positive, shifts: false)
        return network
    }

    @Test func `goes through as many nodes as the limit says, and no more`() throws {
        try chain(255).expectFolded(producer: "h")
        try chain(256).expectRefused("more than 256 nodes would change", by: "h")
    }

    /// A shift that only the innermost of so many nested sums can take, as the second operand of each.
    private func sums(_ count: Int) throws -> BackwardNetwork {
        var network = BackwardNetwork()
        try network.convolution("h", [1, 2, 1, 1])
        var value = "h"
        for index in 0..<count {
            try network.convolution("g\(index)", [1, 2, 1, 1])
            try network.builder.node("Relu", ["g\(index)"], "r\(index)", name: "relu\(index)")
            value = try network.builder.node("Add", ["r\(index)", value], "s\(index)")
        }
        try network.normalize(value, channels: 2, scales: .positive)
        return network
    }

    @Test func `tries as many combinations as the limit says, and no more`() throws {
        try sums(15).expectFolded()
        try sums(16).expectRefused("Relu does not commute with a shift, channel 0 has one", by: "relu15")
    }

    @Test func `only what changes gets another name`() throws {
        var network = BackwardNetwork()
        try network.convolution("h", [1, 4, 3, 3])
        try network.node("GlobalAveragePool", ["h"], "p")
        try network.normalize("p", channels: 4)
        let graph = try network.builder.graph()
        let folded = try network.expectFolded(producer: "h").graph
        #expect(folded.nodes.map(\.name) == ["h", "globalaveragepool", "sigmoid_y_after"])
        #expect(folded.node("h")?.outputs == ["h_folded"])
        #expect(folded.node("globalaveragepool")?.outputs == ["y"])
        #expect(folded.inputs.map(\.name) == graph.inputs.map(\.name))
    }

    @Test func `a weight of two convolutions of one tree is copied for each`() throws {
        var network = BackwardNetwork()
        for name in ["first", "second"] { network.builder.input(name, [1, 2, 3, 3]) }
        try network.builder.weight("w", [3, 2, 1, 1])
        try network.builder.node("Conv", ["first", "w"], "h", name: "h")
        try network.builder.node("Conv", ["second", "w"], "g", name: "g")
        try network.node("Concat", ["h", "g"], "t", ["axis": .integer(1)])
        try network.normalize("t", channels: 6)
        let result = try network.expectFolded(producer: "g, h")
        #expect(result.report.entries[0].clonedWeights)
        #expect(result.graph.constants["w"] == nil)
    }

    @Test func `copies of weights in a tree count against their limit`() throws {
        var network = BackwardNetwork(elementType: .float32)
        network.builder.input("x", [1, 1024])
        try network.builder.constant("w", [Double](repeating: 0.5, count: 1 << 20), [1024, 1024])
        // 2 · 4 MiB for each of nine trees: eight fill 64 MiB.
        for tree in 0..<9 {
            let names = (0..<2).map { "p\(tree)_\($0)" }
            for name in names { try network.builder.node("MatMul", ["x", "w"], name) }
            try network.builder.node("Concat", names, "t\(tree)", ["axis": .integer(0)])
            try network.normalize("t\(tree)", channels: 1024, to: "y\(tree)")
        }
        let report = try BackwardNetwork.pipeline.run(network.builder.graph()).report
        #expect(report.foldedCount == 8)
        #expect(
            report.entry("bn_y8")?.reason?.hasPrefix("clones of shared weights would take more than") == true)
    }

    @Test func `a shift alone leaves the weight where it is`() throws {
        var network = BackwardNetwork()
        try network.convolution("h", [1, 2, 3, 3])
        try network.builder.node("Flatten", ["h"], "f")
        try network.builder.constant("k", [Double](repeating: 0.5, count: 18), [18])
        try network.builder.node("Add", ["f", "k"], "y")
        network.builder.output("y")
        let graph = try network.builder.graph()
        let result = try BackwardNetwork.pipeline.run(graph)
        #expect(result.graph.nodes.map(\.type) == ["Conv", "Flatten"])
        #expect(result.graph.constants["w_h"] != nil && result.graph.constants["c_h"] == nil)
        #expect(try Comparison(graph, result.graph).error < 1e-12)
    }

    @Test func `a second affine in the way must go first`() throws {
        var network = BackwardNetwork()
        network.builder.input("x", [1, 2, 3, 3])
        try network.builder.batchNorm("x", "b", channels: 2, name: "first")
        try network.node("GlobalAveragePool", ["b"], "p")
        try network.normalize("p", channels: 2)
        try network.expectRefused(
            "the preceding node is BatchNormalization, only Conv, ConvTranspose, Gemm and MatMul can absorb it backward",
            by: "first")
    }
}
