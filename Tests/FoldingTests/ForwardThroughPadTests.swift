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

    @Test func `refuses a pad that is no number of the element type`() throws {
        var network = try ForwardNetwork([1, 2, 4, 4], elementType: .float32)
        try network.builder.constant("bn.gamma", [3, 3], [2])
        try network.builder.constant("bn.beta", [0, 0], [2])
        network.integers("pads", [0, 0, 1, 1, 0, 0, 1, 1])
        try network.builder.constant("v", [1], [])
        try network.node("Pad", ["h", "pads", "v"], "p")
        try network.convolution("p", "y", weight: [2, 2, 1, 1])
        try network.expectStays("no one float32 before the affine")
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

    @Test func `refuses pads of the channels, and pads that are not constant`() throws {
        var network = try ForwardNetwork([1, 2, 4, 4])
        network.integers("pads", [0, 1, 0, 0, 0, 0, 0, 0])
        try network.node("Pad", ["h", "pads"], "p")
        try network.convolution("p", "y", weight: [2, 3, 1, 1])
        try network.expectStays("Pad 'pad_p': it pads axis 1, which is the channels'")
        network.builder.overridable = ["pads"]
        try network.expectStays("Pad 'pad_p': its pads are not constant")
    }
}
