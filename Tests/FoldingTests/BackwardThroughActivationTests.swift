import Graph
import Tensors
import Testing

import Folding

@Suite struct BackwardThroughActivationTests {
    static func network(
        _ type: String, _ attributes: [String: Attribute] = [:], bounds: [Double?] = [], opset: Int = 17,
        elementType: ElementType = .float64, scales: BackwardNetwork.Scales, shifts: Bool
    ) throws -> BackwardNetwork {
        var network = BackwardNetwork(elementType: elementType, opset: opset)
        try network.convolution("h", [2, 3, 3, 3])
        var inputs: [String?] = ["h"]
        if type == "PRelu" { inputs.append(try network.builder.weight("slope", [3, 1, 1])) }
        for (index, bound) in bounds.enumerated() {
            guard let bound else {
                inputs.append(nil)
                continue
            }
            inputs.append(try network.builder.constant("bound\(index)", [bound], []))
        }
        try network.node(type, inputs, "t", attributes)
        try network.normalize("t", channels: 3, scales: scales, shifts: shifts)
        return network
    }

    @Test(arguments: ["Relu", "LeakyRelu", "PRelu"])
    func `takes scales that are not negative, and no shift`(_ type: String) throws {
        for scales in [BackwardNetwork.Scales.positive, .zero, .tiny] {
            let result = try Self.network(type, scales: scales, shifts: false).expectFolded(producer: "h")
            #expect(result.graph.nodes.map(\.type) == ["Conv", type, "Sigmoid"])
        }
        for (scales, channel) in [(BackwardNetwork.Scales.negative, 0), (.mixed, 1), (.uniform, 0)] {
            let network = try Self.network(type, scales: scales, shifts: false)
            let reason = try BackwardNetwork.pipeline.run(network.builder.graph()).report.entry("bn")?.reason
            #expect(
                reason?.hasPrefix(
                    "\(type) commutes with positive scales alone, that of channel \(channel) is -") == true)
        }
        try Self.network(type, scales: .positive, shifts: true)
            .expectRefused("\(type) does not commute with a shift, channel 0 has one", by: type.lowercased())
    }

    @Test func `a bound of 0 stays for every positive scale`() throws {
        for scales in [BackwardNetwork.Scales.positive, .tiny] {
            try Self.network("Clip", bounds: [0], scales: scales, shifts: false).expectFolded()
            try Self.network("Clip", bounds: [nil, 0], scales: scales, shifts: false).expectFolded()
        }
        try Self.network("Clip", bounds: [0, 6], scales: .positive, shifts: false)
            .expectRefused("Clip would have another bound in each channel", by: "clip")
        try Self.network("Clip", bounds: [0], scales: .positive, shifts: true)
            .expectRefused("Clip would have another bound in each channel", by: "clip")
        try Self.network("Clip", bounds: [0], scales: .zero, shifts: false)
            .expectRefused(
                "Clip commutes with positive scales alone, that of channel 0 is 0.0", by: "clip")
    }

    @Test func `bounds move with what is the same for all channels`() throws {
        for opset in [9, 13] {
            var network = BackwardNetwork(elementType: .float32, opset: opset)
            try network.convolution("h", [2, 3, 3, 3])
            if opset < 11 {
                try network.node("Clip", ["h"], "t", ["min": .real(-0.25), "max": .real(0.5)])
            } else {
                try network.builder.constant("low", [-0.25], [])
                try network.builder.constant("high", [0.5], [])
                try network.node("Clip", ["h", "low", "high"], "t")
            }
            try network.builder.batchNorm(
                "t", "y", scale: [3, 3, 3], bias: [1, 1, 1], mean: [0, 0, 0], variance: [2, 2, 2],
                ["epsilon": .real(0)])
            network.builder.output("y")
            let result = try network.expectFolded()
            if opset == 13 { #expect(result.graph.constants["low"] == nil) }
        }
    }

    @Test func `refuses bounds of an old operator set that float32 cannot hold`() throws {
        var network = BackwardNetwork(opset: 9)
        try network.convolution("h", [2, 3, 3, 3])
        try network.node("Clip", ["h"], "t", ["max": .real(0.5)])
        try network.builder.batchNorm(
            "t", "y", scale: [3, 3, 3], bias: [1, 1, 1], mean: [0, 0, 0], variance: [2, 2, 2], name: "bn",
            ["epsilon": .real(0)])
        network.builder.output("y")
        try network.expectRefused("the folded bound is no float32, as its attribute is", by: "clip")
    }

    @Test func `refuses a bound that a caller gives`() throws {
        var network = BackwardNetwork()
        try network.convolution("h", [2, 3, 3, 3])
        network.builder.input("low", [] as [Int])
        try network.node("Clip", ["h", "low"], "t")
        try network.normalize("t", channels: 3, scales: .positive, shifts: false)
        try network.expectRefused("the bound is an input of the graph", by: "low")
    }
}
