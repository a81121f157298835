import Graph
import Tensors
import Testing

import Folding

/// What moves elements, and Concat.
@Suite struct ForwardThroughRearrangementTests {
    static let conv = "batchnorm-forward-into-conv"
    static let gemm = "batchnorm-forward-into-gemm"

    private func dense(_ network: inout ForwardNetwork, _ input: String, _ features: Int) throws {
        try network.builder.weight("w", [features, 3])
        try network.builder.weight("c", [3])
        try network.node("Gemm", [input, "w", "c"], "y")
    }

    static let batches: [[Dimension]] = [[.known(2)], [.known(1)], [.symbol("N")], [.unknown]]

    @Test(arguments: batches)
    func `Flatten gives each element its channel, in either layout`(_ batch: [Dimension]) throws {
        // Square, so that the layouts' orders are of one length.
        for isChannelsLast in [false, true] {
            var network = try ForwardNetwork(batch + [.known(3), .known(3), .known(3)])
            try network.node(
                "Transpose", ["h"], "t",
                ["perm": .integers(isChannelsLast ? [0, 2, 3, 1] : [0, 1, 3, 2])])
            try network.node("Flatten", ["t"], "f")
            try dense(&network, "f", 27)
            try network.expectFolded(rule: Self.gemm, consumer: "gemm_y")
        }
    }

    @Test(arguments: batches)
    func `Reshape does as Flatten does, and back`(_ batch: [Dimension]) throws {
        var network = try ForwardNetwork(batch + [.known(3), .known(2), .known(4)])
        network.integers("flat", [-1, 24])
        network.integers("image", [0, 6, 2, -1])
        try network.node("Reshape", ["h", "flat"], "f")
        try network.node("Reshape", ["f", "image"], "g")
        // Six channels of two pixels: each has one of the three channels' affines.
        try network.convolution("g", "y", weight: [2, 6, 1, 1])
        try network.expectFolded(rule: Self.conv)
    }

    @Test func `a shape that the graph computes is followed`() throws {
        var network = try ForwardNetwork([.symbol("N"), .known(3), .known(2), .known(2)])
        network.integers("zero", [0])
        network.integers("rest", [-1])
        try network.node("Shape", ["h"], "s")
        try network.node("Gather", ["s", "zero"], "n")
        try network.node("Concat", ["n", "rest"], "shape", ["axis": .integer(0)])
        try network.node("Reshape", ["h", "shape"], "f")
        try dense(&network, "f", 12)
        try network.expectFolded(rule: Self.gemm)
    }

    @Test func `refuses channels that a Reshape mixes`() throws {
        var network = try ForwardNetwork([2, 4, 3, 3])
        network.integers("shape", [2, 2, 2, 9])
        try network.node("Reshape", ["h", "shape"], "g")
        try network.convolution("g", "y", weight: [2, 2, 1, 1])
        try network.expectStays("Reshape 'reshape_g': the channels are no longer along one axis")
        // With one affine for all channels nothing is mixed.
        try network.builder.constant("bn.gamma", [2, 2, 2, 2], [4])
        try network.builder.constant("bn.beta", [3, 3, 3, 3], [4])
        try network.expectFolded(rule: Self.conv)
    }

    @Test func `refuses a Reshape that mixes the batch and the channels`() throws {
        var network = try ForwardNetwork([.symbol("N"), .known(4)])
        network.integers("shape", [-1, 8])
        try network.node("Reshape", ["h", "shape"], "g")
        try dense(&network, "g", 8)
        try network.expectStays("Reshape 'reshape_g': it cannot be followed")
        network = try ForwardNetwork([.symbol("N"), .known(4), .symbol("L")])
        network.integers("shape", [-1, 16])
        try network.node("Reshape", ["h", "shape"], "g")
        try dense(&network, "g", 16)
        try network.expectStays("Reshape 'reshape_g': the channels are no longer along one axis")
    }

    @Test func `Squeeze, Unsqueeze, Slice, Gather and Tile are followed`() throws {
        var network = try ForwardNetwork([2, 6, 1, 4])
        for (name, values) in [
            ("axis", [2]), ("starts", [5]), ("ends", [0]), ("channels", [1]), ("steps", [-2]),
            ("repeats", [1, 2, 1, 1]),
        ] as [(String, [Int64])] {
            network.integers(name, values)
        }
        network.builder.constants["picked"] = Tensor([2, 0, -1, 1] as [Int64])
        try network.node("Squeeze", ["h", "axis"], "s")
        try network.node("Slice", ["s", "starts", "ends", "channels", "steps"], "l")
        try network.node("Gather", ["l", "picked"], "g", ["axis": .integer(1)])
        try network.node("Unsqueeze", ["g", "axis"], "u")
        try network.node("Tile", ["u", "repeats"], "t")
        try network.convolution("t", "y", weight: [2, 8, 1, 3])
        try network.expectFolded(rule: Self.conv)
    }

    @Test func `Gather by an input is refused`() throws {
        var network = try ForwardNetwork([2, 3, 4])
        network.builder.inputs.append(
            Graph.Port(name: "picked", info: ValueInfo(.int64, [.known(2)])))
        try network.node("Gather", ["h", "picked"], "g", ["axis": .integer(1)])
        try network.convolution("g", "y", weight: [2, 2, 1])
        try network.expectStays("Gather 'gather_g': it cannot be followed")
    }

    @Test func `every part of a Split has its own channels`() throws {
        var network = try ForwardNetwork([2, 6, 3, 3])
        try network.builder.nodes.append(
            Node(
                name: "split", type: "Split", attributes: ["axis": .integer(1)], opset: 17,
                inputs: ["h"], outputs: ["a", "b", "c"]))
        try network.convolution("a", "y", weight: [2, 2, 3, 3])
        try network.convolution("b", "z", weight: [2, 2, 1, 1])
        try network.expectFolded(rule: Self.conv, consumer: "conv_y, conv_z", outputs: ["y", "z"])
        try network.node("Relu", ["c"], "r")
        try network.expectStays("Relu 'relu_r': it lets no shift through", outputs: ["y", "z", "r"])
        try network.expectStays("its value 'b' is a graph output", outputs: ["y", "b", "z", "r"])
    }

    @Test func `blocks of pixels become channels and come back`() throws {
        for mode in ["DCR", "CRD"] {
            var network = try ForwardNetwork([.symbol("N"), .known(8), .known(2), .known(3)])
            try network.node(
                "DepthToSpace", ["h"], "d", ["blocksize": .integer(2), "mode": .string(mode)])
            try network.convolution("d", "y", weight: [2, 2, 1, 1])
            // A block's pixels have channels of their own: along three axes, unless they agree.
            try network.expectStays(
                "DepthToSpace 'depthtospace_d': the channels are no longer along one axis")
            let scale = (0..<8).map { Double(mode == "DCR" ? $0 % 2 : $0 / 4) + 1 }
            try network.builder.constant("bn.gamma", scale, [8])
            try network.builder.constant("bn.beta", scale, [8])
            try network.expectFolded(rule: Self.conv)
        }
        var network = try ForwardNetwork([.symbol("N"), .known(2), .known(4), .symbol("W")])
        try network.node("SpaceToDepth", ["h"], "d", ["blocksize": .integer(2)])
        try network.convolution("d", "y", weight: [2, 8, 1, 1])
        try network.expectFolded(rule: Self.conv)
    }

    @Test func `branches of a Concat without one are left as they are`() throws {
        for isFirst in [true, false] {
            var network = try ForwardNetwork([2, 3, 4, 4])
            network.builder.input("other", [2, 2, 4, 4])
            try network.node(
                "Concat", isFirst ? ["h", "other", "h"] : ["other", "h", "h"], "j", ["axis": .integer(1)])
            try network.convolution("j", "y", weight: [4, 8, 3, 3], ["pads": .integers([1, 1, 1, 1])])
            try network.expectFolded(rule: Self.conv)
        }
    }

    @Test func `branches of a Concat along another axis must agree`() throws {
        var network = try ForwardNetwork([2, 3, 4, 4])
        try network.node("Concat", ["h", "h"], "j", ["axis": .integer(2)])
        try network.convolution("j", "y", weight: [4, 3, 3, 3])
        try network.expectFolded(rule: Self.conv)
        network = try ForwardNetwork([2, 3, 4, 4])
        try network.node("Concat", ["h", "x"], "j", ["axis": .integer(2)])
        try network.convolution("j", "y", weight: [4, 3, 3, 3])
        try network.expectStays("Concat 'concat_j': its branches differ along axis 1")
    }
}
