import Graph
import Tensors
import Testing

import Folding

@Suite struct BackwardThroughConcatTests {
    /// Two convolutions of `channels` side by side on `axis`.
    static func network(
        _ channels: [Int], axis: Int = 1, scales: BackwardNetwork.Scales = .mixed
    ) throws -> BackwardNetwork {
        var network = BackwardNetwork()
        for (index, count) in channels.enumerated() {
            try network.convolution("h\(index)", [3, count, 3, 3])
        }
        try network.node(
            "Concat", channels.indices.map { "h\($0)" }, "h", ["axis": .integer(Int64(axis))])
        let isOnChannels = axis == 1 || axis == -3
        let count = isOnChannels ? channels.reduce(0, +) : channels[0]
        try network.normalize("h", channels: count, scales: scales)
        return network
    }

    @Test(arguments: BackwardNetwork.Scales.allCases)
    func `each branch takes its channels`(_ scales: BackwardNetwork.Scales) throws {
        for axis in [1, -3] {
            let result = try Self.network([2, 3, 1], axis: axis, scales: scales)
                .expectFolded(producer: "h2, h1, h0")
            #expect(result.graph.nodes.map(\.type) == ["Conv", "Conv", "Conv", "Concat", "Sigmoid"])
            #expect(result.report.entries[0].input == nil && result.report.entries[0].output == "y")
        }
    }

    @Test(arguments: [0, 2, 3, -1])
    func `every branch takes all of it on another axis`(_ axis: Int) throws {
        try Self.network([3, 3], axis: axis).expectFolded()
    }

    @Test func `two branches that are one value are scaled once`() throws {
        var network = BackwardNetwork()
        try network.convolution("h", [1, 3, 3, 3])
        try network.node("Concat", ["h", "h"], "t", ["axis": .integer(2)])
        try network.normalize("t", channels: 3)
        let result = try network.expectFolded(producer: "h")
        #expect(result.report.entries[0].input == "x_h")
    }

    @Test func `refuses one value as two branches of other channels`() throws {
        var network = BackwardNetwork()
        try network.convolution("h", [1, 3, 3, 3])
        try network.node("Concat", ["h", "h"], "t", ["axis": .integer(1)])
        try network.normalize("t", channels: 6)
        try network.expectRefused("'h' would have to change in two ways", by: "concat")
    }

    @Test func `a constant branch goes through the affine`() throws {
        var network = BackwardNetwork()
        try network.convolution("h", [1, 2, 3, 3])
        try network.builder.weight("k", [1, 2, 3, 3])
        try network.node("Concat", ["k", "h"], "t", ["axis": .integer(1)])
        try network.normalize("t", channels: 4)
        try network.expectFolded(producer: "h")
    }

    @Test func `refuses as a whole when one branch cannot take its part`() throws {
        var network = BackwardNetwork()
        try network.convolution("h", [1, 2, 3, 3])
        network.builder.input("z", [1, 2, 3, 3])
        try network.node("Tanh", ["z"], "t")
        try network.node("Concat", ["h", "t"], "j", ["axis": .integer(1)])
        try network.normalize("j", channels: 4)
        try network.expectRefused(
            "the preceding node is Tanh, only Conv, ConvTranspose, Gemm and MatMul can absorb it backward",
            by: "tanh")
    }

    @Test func `a branch whose part changes nothing is left alone`() throws {
        var network = BackwardNetwork()
        try network.convolution("h", [1, 2, 3, 3])
        network.builder.input("z", [1, 2, 3, 3])
        try network.node("Concat", ["h", "z"], "j", ["axis": .integer(1)])
        try network.builder.batchNorm(
            "j", "y", scale: [2, 3, 1, 1], bias: [1, 0, 0, 0], mean: [0, 0, 0, 0], variance: [1, 1, 1, 1],
            ["epsilon": .real(0)])
        network.builder.output("y")
        try network.expectFolded(producer: "h")
    }

    @Test func `refuses a branch that is read elsewhere or is a graph output`() throws {
        var shared = try Self.network([2, 3])
        try shared.node("Tanh", ["h1"], "t")
        shared.builder.output("t")
        try shared.expectRefused("the value before it has another consumer", by: "tanh")
        var output = try Self.network([2, 3])
        output.builder.output("h0")
        try output.expectRefused("the value before it is also a graph output", by: "h0")
    }

    @Test func `convolutions and dense layers may stand in one tree`() throws {
        var network = BackwardNetwork()
        try network.dense("d", rows: 2, columns: 3)
        try network.convolution("h", [2, 4, 1, 1])
        try network.node("Flatten", ["h"], "f")
        try network.node("Concat", ["d", "f"], "t", ["axis": .integer(1)])
        try network.normalize("t", channels: 7)
        try network.expectFolded(rule: "batchnorm-into-conv, batchnorm-into-gemm", producer: "h, d")
    }
}
