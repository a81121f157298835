import Graph
import Tensors
import Testing

import Folding

@Suite struct BackwardThroughPadTests {
    static func network(
        _ pads: [Int], mode: String = "constant", value: Double? = nil, opset: Int = 17, channels: Int = 3,
        scales: BackwardNetwork.Scales = .mixed, shifts: Bool = true
    ) throws -> BackwardNetwork {
        var network = BackwardNetwork(opset: opset)
        try network.convolution("h", [2, 3, 3, 3])
        var inputs: [String?] = ["h"]
        var attributes: [String: Attribute] = ["mode": .string(mode)]
        if opset < 11 {
            attributes["pads"] = .integers(pads.map { Int64($0) })
            if let value { attributes["value"] = .real(Float(value)) }
        } else {
            inputs.append(network.integers("pads", pads))
            if let value { inputs.append(try network.builder.constant("fill", [value], [])) }
        }
        try network.node("Pad", inputs, "t", attributes)
        try network.normalize("t", channels: channels, scales: scales, shifts: shifts)
        return network
    }

    @Test(arguments: ["reflect", "edge", "wrap"], BackwardNetwork.Scales.allCases)
    func `pads of the value itself take both`(_ mode: String, _ scales: BackwardNetwork.Scales) throws {
        for opset in mode == "wrap" ? [19] : [9, 13, 18] {
            try Self.network([0, 0, 1, 2, 0, 0, 0, 1], mode: mode, opset: opset, scales: scales)
                .expectFolded()
        }
    }

    @Test(arguments: BackwardNetwork.Scales.allCases)
    func `pads of 0 take the scale`(_ scales: BackwardNetwork.Scales) throws {
        for opset in [9, 13, 18] {
            for value in [nil, 0.0] {
                let result = try Self.network(
                    [0, 0, 1, 2, 0, 0, 0, 1], value: value, opset: opset, scales: scales, shifts: false
                ).expectFolded()
                #expect(result.graph.node("pad")?.inputs.count == (opset < 11 ? 1 : value == nil ? 2 : 3))
            }
        }
    }

    @Test func `a pad value moves with what is the same for all channels`() throws {
        for opset in [13, 18] {
            for value in [nil, 0.75] {
                try Self.network([0, 0, 1, 2, 0, 0, 0, 1], value: value, opset: opset, scales: .uniform)
                    .expectFolded()
                // The channels may be padded then.
                try Self.network(
                    [0, 1, 1, 0, 0, 0, 0, 1], value: value, opset: opset, channels: 4, scales: .uniform
                ).expectFolded()
            }
        }
    }

    @Test func `refuses a value that would differ`() throws {
        try Self.network([0, 0, 1, 0, 0, 0, 0, 0], shifts: true)
            .expectRefused("the pad would have another value in each channel", by: "pad")
        try Self.network([0, 0, 1, 0, 0, 0, 0, 0], value: 0.5, shifts: false)
            .expectRefused("the pad would have another value in each channel", by: "pad")
    }

    @Test func `taking elements away needs no value`() throws {
        try Self.network([0, 0, -1, 0, 0, 0, 0, -1], value: 0.5).expectFolded()
    }

    @Test func `refuses padded channels`() throws {
        for mode in ["constant", "edge"] {
            try Self.network([0, 1, 0, 0, 0, 0, 0, 0], mode: mode, channels: 4, shifts: false)
                .expectRefused("the channel axis is padded", by: "pad")
        }
    }
}
