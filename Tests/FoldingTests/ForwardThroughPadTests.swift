import Certification
import Graph
import Tensors
import Testing

import Folding

@Suite struct ForwardThroughPadTests {
    static let rule = "batchnorm-forward-into-conv"

    /// bn → pad → convolution without pads; `scale` and `shift` are the normalization's.
    private func network(
        scale: [Double], shift: [Double], pads: [Int64], value: Double?, mode: String = "constant",
        opset: Int = 17
    ) throws -> ForwardNetwork {
        var network = try ForwardNetwork([1, 3, 4, 4], opset: opset)
        try network.builder.constant("bn.gamma", scale, [3])
        try network.builder.constant("bn.beta", shift, [3])
        if opset < 11 {
            try network.node(
                "Pad", ["h"], "p",
                [
                    "pads": .integers(pads), "mode": .string(mode), "value": .real(Float(value ?? 0)),
                ])
        } else {
            network.integers("pads", pads)
            if let value { try network.builder.constant("v", [value], []) }
            try network.node(
                "Pad", value == nil ? ["h", "pads"] : ["h", "pads", "v"], "p", ["mode": .string(mode)])
        }
        try network.convolution("p", "y", weight: [2, 3, 3, 3])
        return network
    }

    private let spatial: [Int64] = [0, 0, 1, 2, 0, 0, 0, 1]

    @Test func `a pad of 0 stays for a scale alone, whatever it is`() throws {
        for opset in [10, 11, 17, 21] {
            try network(scale: [2, -1, 0], shift: [0, 0, 0], pads: spatial, value: nil, opset: opset)
                .expectFolded(rule: Self.rule, consumer: "conv_y")
        }
    }

    @Test func `a pad becomes what the affine makes it of`() throws {
        for opset in [10, 11, 17, 21] {
            // (4 − 2)/2, (4 − 3.5)/0.5, (4 − 5)/−1
            let result = try network(
                scale: [2, 0.5, -1], shift: [2, 3.5, 5], pads: spatial, value: 4, opset: opset
            ).expectFolded(rule: Self.rule)
            #expect(result.graph.nodes.map(\.type) == ["Pad", "Conv"])
        }
    }

    @Test func `refuses pads that differ from channel to channel`() throws {
        for (scale, shift) in [
            ([2, 1, 1], [1, 1, 1]), ([1, 0, 1], [4, 5, 4]), ([2, 0, -1], [2, 4, 5]),
        ] as [([Double], [Double])] {
            try network(scale: scale, shift: shift, pads: spatial, value: 4)
                .expectStays("Pad 'pad_p': no one float64 before the affine is its 4.0 in every channel")
        }
    }

    @Test func `a pad that is no number of the element type is rounded once`() throws {
        var network = try ForwardNetwork([1, 2, 4, 4], elementType: .float32)
        try network.builder.constant("bn.gamma", [3, 3], [2])
        try network.builder.constant("bn.beta", [0, 0], [2])
        network.integers("pads", [0, 0, 1, 1, 0, 0, 1, 1])
        try network.builder.constant("v", [1], [])
        try network.node("Pad", ["h", "pads", "v"], "p")
        try network.convolution("p", "y", weight: [2, 2, 1, 1])
        try network.expectFolded(rule: Self.rule)
    }

    @Test func `scalars before a padded convolution of images with channels last go into it`() throws {
        var builder = GraphBuilder(elementType: .float32)
        builder.input("x", [.symbol("N"), .known(8), .known(8), .known(3)])
        try builder.constant("k", [1 / 127.5], [])
        try builder.constant("c", [-1], [])
        builder.constants["pads"] = Tensor([0, 0, 0, 0, 0, 0, 1, 1] as [Int64])
        try builder.weight("w", [4, 3, 3, 3])
        try builder.node("Mul", ["x", "k"], "a")
        try builder.node("Add", ["a", "c"], "b")
        try builder.node("Transpose", ["b"], "t", ["perm": .integers([0, 3, 1, 2])])
        try builder.node("Pad", ["t", "pads"], "p")
        try builder.node("Conv", ["p", "w"], "y", ["strides": .integers([2, 2])])
        builder.output("y")
        try Self.expectProven(try builder.graph(), leaving: ["Transpose", "Pad", "Conv"])
    }

    @Test func `scalars of single channels before a padded convolution share one channel of ones`() throws {
        var builder = GraphBuilder(elementType: .float32)
        builder.input("x", [.symbol("N"), .known(3), .known(8), .known(8)])
        for channel in 0..<3 {
            builder.constants["i\(channel)"] = Tensor([Int64(channel)])
            try builder.node("Gather", ["x", "i\(channel)"], "g\(channel)", ["axis": .integer(1)])
            try builder.constant("k\(channel)", [0.4 + 0.01 * Double(channel)], [])
            try builder.constant("c\(channel)", [0.1 * Double(channel) - 0.03], [])
            try builder.node("Mul", ["g\(channel)", "k\(channel)"], "m\(channel)")
            try builder.node("Add", ["m\(channel)", "c\(channel)"], "a\(channel)")
        }
        try builder.node("Concat", ["a0", "a1", "a2"], "h", ["axis": .integer(1)])
        try builder.weight("w", [4, 3, 7, 7])
        try builder.node(
            "Conv", ["h", "w"], "y", ["strides": .integers([2, 2]), "pads": .integers([3, 3, 3, 3])])
        builder.output("y")
        try Self.expectProven(
            try builder.graph(), leaving: ["Gather", "Gather", "Gather", "Concat", "Pad", "Conv"])
    }

    private static func expectProven(
        _ graph: Graph, leaving types: [String], sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let result = try FoldPipeline.standard.run(graph)
        #expect(Set(result.graph.nodes.map(\.type)) == Set(types), sourceLocation: sourceLocation)
        #expect(result.graph.nodes.count == types.count, sourceLocation: sourceLocation)
        #expect(
            try Comparison(graph, result.graph, extent: 2).error < tolerance(.float32),
            sourceLocation: sourceLocation)
        let certificate = try Certifier().certify(original: graph, folded: result.graph)
        #expect(certificate.failures.map(\.description) == [], sourceLocation: sourceLocation)
    }

    @Test(arguments: ["reflect", "edge", "wrap"])
    func `pads that are elements need nothing`(_ mode: String) throws {
        try network(
            scale: [2, -1, 0], shift: [1, 2, 3], pads: spatial, value: nil, mode: mode,
            opset: mode == "wrap" ? 19 : 17
        ).expectFolded(rule: Self.rule)
    }

    @Test func `negative pads need nothing`() throws {
        try network(
            scale: [2, -1, 0], shift: [1, 2, 3], pads: [0, 0, -1, 0, 0, 0, 0, 0], value: nil
        ).expectFolded(rule: Self.rule)
    }

    @Test func `channels that a pad adds are left alone`() throws {
        for pads: [Int64] in [[0, 1, 0, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0, 1, 0, 0]] {
            var network = try ForwardNetwork([1, 2, 4, 4])
            network.integers("pads", pads)
            try network.builder.constant("v", [0.75], [])
            try network.node("Pad", ["h", "pads", "v"], "p")
            try network.convolution("p", "y", weight: [2, 3, 1, 1])
            try network.expectFolded(rule: Self.rule)
        }
    }

    @Test func `refuses pads of the channels and others, and pads that are not constant`() throws {
        var network = try ForwardNetwork([1, 2, 4, 4])
        network.integers("pads", [0, 1, 1, 0, 0, 0, 0, 0])
        try network.node("Pad", ["h", "pads"], "p")
        try network.convolution("p", "y", weight: [2, 3, 1, 1])
        try network.expectStays("Pad 'pad_p': it pads axis 1, which is the channels'")
        network.builder.overridable = ["pads"]
        try network.expectStays("Pad 'pad_p': its pads are not constant")
    }
}
