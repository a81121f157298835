import Graph
import Tensors
import Testing

import Folding

/// Transpose, Reshape and its kin, DepthToSpace, Tile, Expand, and the casts of mixed precision.
@Suite struct BackwardThroughRearrangementTests {
    @Test(arguments: [[0, 1, 3, 2], [1, 0, 2, 3], [2, 1, 0, 3]])
    func `a transpose that keeps the channels where they are, or makes another axis of them`(
        _ permutation: [Int]
    ) throws {
        var network = BackwardNetwork()
        try network.convolution("h", [3, 3, 3, 3])
        try network.node("Transpose", ["h"], "t", ["perm": .integers(permutation.map { Int64($0) })])
        try network.normalize("t", channels: 3)
        if permutation[1] == 1 {
            try network.expectFolded()
        } else {
            try network.expectRefused("the channels are on axis 0, those of Conv on axis 1", by: "h")
        }
    }

    /// Behind a flattened convolution each channel has several features.
    @Test(arguments: [true, false])
    func `a flattened convolution folds when the features of each channel agree`(_ agrees: Bool) throws {
        for type in ["Flatten", "Reshape"] {
            var network = BackwardNetwork()
            try network.convolution("h", [2, 3, 2, 2])
            try network.node(
                type, type == "Flatten" ? ["h"] : ["h", network.integers("shape", [2, 12])], "t")
            var scale: [Double] = [2, 2, 2, 2, -3, -3, -3, -3, 0.5, 0.5, 0.5, 0.5]
            let bias: [Double] = [1, 1, 1, 1, 0, 0, 0, 0, -2, -2, -2, -2]
            if !agrees { scale[7] = 1 }
            try network.builder.batchNorm(
                "t", "y", scale: scale, bias: bias, mean: scale.map { _ in 0 },
                variance: scale.map { _ in 1 }, name: "bn", ["epsilon": .real(0)])
            network.builder.output("y")
            if agrees {
                try network.expectFolded()
            } else {
                try network.expectRefused(
                    "the channels of axis 1 are not those of one axis before \(type)", by: type.lowercased())
            }
        }
    }

    @Test func `extents that are not known cancel behind the channels`() throws {
        for isBehind in [true, false] {
            var network = BackwardNetwork()
            network.builder.input("x", [.known(1), .known(2), .symbol("L")])
            try network.builder.weight("w", [3, 2, 1])
            try network.node("Conv", ["x", "w"], "h")
            try network.node("Reshape", ["h", network.integers("shape", [1, 3, -1, 1])], "r")
            try network.builder.node(
                "Transpose", ["r"], "t", ["perm": .integers(isBehind ? [0, 1, 3, 2] : [0, 2, 1, 3])])
            try network.builder.constant("k", [1, 2, 3], isBehind ? [3, 1, 1] : [3, 1])
            try network.builder.node("Mul", ["t", "k"], "y")
            network.builder.output("y")
            let graph = try network.builder.graph()
            let result = try BackwardNetwork.pipeline.run(graph)
            #expect(result.report.foldedChainCount == 1)
            #expect(try Comparison(graph, result.graph, extent: 4).error < 1e-12)
        }
    }

    @Test(arguments: ["DCR", "CRD"], BackwardNetwork.Scales.allCases)
    func `depth to space takes each block's channel`(_ mode: String, _ scales: BackwardNetwork.Scales) throws
    {
        var network = BackwardNetwork()
        try network.convolution("h", [1, 12, 2, 2])
        try network.node("DepthToSpace", ["h"], "t", ["blocksize": .integer(2), "mode": .string(mode)])
        try network.normalize("t", channels: 3, scales: scales)
        try network.expectFolded()
    }

    @Test func `space to depth folds when the channels of one agree`() throws {
        for agrees in [true, false] {
            var network = BackwardNetwork()
            try network.convolution("h", [1, 2, 4, 4])
            try network.node("SpaceToDepth", ["h"], "t", ["blocksize": .integer(2)])
            // Channel o is channel o mod 2.
            var scale: [Double] = [2, -3, 2, -3, 2, -3, 2, -3]
            if !agrees { scale[3] = 2 }
            try network.builder.batchNorm(
                "t", "y", scale: scale, bias: [1, 2, 1, 2, 1, 2, 1, 2], mean: scale.map { _ in 0 },
                variance: scale.map { _ in 1 }, name: "bn", ["epsilon": .real(0)])
            network.builder.output("y")
            if agrees {
                try network.expectFolded()
            } else {
                try network.expectRefused("the channels made of one channel differ", by: "spacetodepth")
            }
        }
    }

    @Test func `a tile of the channels folds when its repetitions agree`() throws {
        for (repeats, scale) in [
            ([1, 2, 1, 1], [2.0, -3, 2, -3]), ([1, 2, 1, 1], [2, 2, -3, -3]), ([2, 1, 1, 3], [2, -3]),
        ] {
            var network = BackwardNetwork()
            try network.convolution("h", [1, 2, 2, 2])
            try network.node("Tile", ["h", network.integers("repeats", repeats)], "t")
            try network.builder.batchNorm(
                "t", "y", scale: scale, bias: scale, mean: scale.map { _ in 0 },
                variance: scale.map { _ in 1 },
                name: "bn", ["epsilon": .real(0)])
            network.builder.output("y")
            if scale.count == 4, scale[0] == scale[1] {
                try network.expectRefused("the repeated channels differ", by: "tile")
            } else {
                try network.expectFolded()
            }
        }
    }

    @Test func `an expanded value takes its channels, or what is the same for all`() throws {
        for (shape, scales) in [
            ([2, 3, 1, 1], BackwardNetwork.Scales.mixed), ([1, 3, 2, 2], .mixed), ([2, 1, 2, 2], .uniform),
            ([2, 1, 2, 2], .mixed),
        ] {
            var network = BackwardNetwork()
            try network.convolution("h", shape)
            try network.node("Expand", ["h", network.integers("shape", [2, 3, 2, 2])], "t")
            try network.normalize("t", channels: 3, scales: scales)
            if shape[1] == 1, scales == .mixed {
                try network.expectRefused(
                    "the channels of axis 1 are not those of one axis before Expand", by: "expand")
            } else {
                try network.expectFolded()
            }
        }
    }

    /// Two convolutions in float16 and a normalization in float32 of what is behind `between`.
    private func mixedPrecision(_ between: String, isWideFirst: Bool) throws -> BackwardNetwork {
        var network = BackwardNetwork(elementType: .float16)
        try network.convolution("h", [1, 2, 2, 2])
        try network.convolution("g", [1, 2, 2, 2])
        if isWideFirst {
            try network.builder.node("Cast", ["h"], "hw", name: "hcast", ["to": .integer(1)])
            try network.builder.node("Cast", ["g"], "gw", name: "gcast", ["to": .integer(1)])
        }
        try network.node(
            between, isWideFirst ? ["hw", "gw"] : ["h", "g"], "t",
            between == "Concat" ? ["axis": .integer(1)] : [:])
        if !isWideFirst {
            try network.builder.node("Cast", ["t"], "tw", name: "tcast", ["to": .integer(1)])
        }
        network.builder.elementType = .float32
        let channels = between == "Concat" ? 4 : 2
        let (scale, bias) = (network.builder.reals(channels), network.builder.reals(channels))
        try network.builder.batchNorm(
            isWideFirst ? "t" : "tw", "b", scale: scale, bias: bias, mean: scale.map { _ in 0 },
            variance: scale.map { _ in 1 }, name: "bn")
        try network.builder.node("Cast", ["b"], "y", name: "down", ["to": .integer(10)])
        network.builder.elementType = .float16
        network.builder.output("y")
        return network
    }

    @Test func `all the casts of a concatenation go`() throws {
        for isWideFirst in [false, true] {
            let result = try mixedPrecision("Concat", isWideFirst: isWideFirst).expectFolded()
            #expect(result.graph.nodes.map(\.type) == ["Conv", "Conv", "Concat"])
        }
    }

    @Test func `refuses between casts for what is before them`() throws {
        var network = try mixedPrecision("Concat", isWideFirst: true)
        try network.builder.node("Tanh", ["g"], "z", name: "tanh")
        network.builder.output("z")
        try network.expectRefused("the value before it has another consumer", by: "tanh")
    }

    @Test func `what was computed in float32 is not computed in float16`() throws {
        let result = try mixedPrecision("Add", isWideFirst: false).expectFolded()
        #expect(result.graph.nodes.map(\.type) == ["Conv", "Conv", "Add"])
        try mixedPrecision("Add", isWideFirst: true).expectRefused(
            "what follows is not cast back to the element type of Conv", by: "gcast")
    }
}
