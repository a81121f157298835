import Graph
import Tensors
import Testing

import Folding

@Suite struct BackwardThroughProductTests {
    /// A convolution times the gate of another, which has as many channels or one, in either order.
    static func network(
        _ type: String = "Mul", gate: [Int] = [2, 3, 1, 1], gateFirst: Bool = false,
        scales: BackwardNetwork.Scales = .mixed, shifts: Bool = false
    ) throws -> BackwardNetwork {
        var network = BackwardNetwork()
        try network.convolution("h", [2, 3, 3, 3])
        try network.convolution("g", gate)
        try network.builder.node("Sigmoid", ["g"], "s", name: "gate")
        try network.node(type, gateFirst ? ["s", "h"] : ["h", "s"], "t")
        try network.normalize("t", channels: 3, scales: scales, shifts: shifts)
        return network
    }

    @Test(arguments: BackwardNetwork.Scales.allCases)
    func `the scale goes into the branch that is no gate`(_ scales: BackwardNetwork.Scales) throws {
        for gate in [[2, 3, 1, 1], [2, 3, 3, 3], [2, 1, 3, 3]] {
            for gateFirst in [false, true] {
                try Self.network(gate: gate, gateFirst: gateFirst, scales: scales)
                    .expectFolded(producer: "h")
            }
        }
    }

    @Test func `a numerator takes the scale, a divisor never`() throws {
        try Self.network("Div").expectFolded(producer: "h")
        try Self.network("Div", gateFirst: true).expectRefused(
            "the preceding node is Sigmoid, only Conv, ConvTranspose, Gemm and MatMul can absorb it backward",
            by: "gate")
    }

    @Test func `refuses a shift`() throws {
        for type in ["Mul", "Div"] {
            try Self.network(type, shifts: true)
                .expectRefused(
                    "\(type) does not commute with a shift, channel 0 has one", by: type.lowercased())
        }
    }

    @Test func `a constant with the channels takes the scale itself`() throws {
        for (type, isFirst) in [("Mul", false), ("Mul", true), ("Div", true)] {
            var network = BackwardNetwork()
            network.builder.input("x", [2, 3, 3, 3])
            try network.builder.node("Exp", ["x"], "e")
            try network.builder.weight("k", [3, 3, 3])
            try network.node(type, isFirst ? ["k", "e"] : ["e", "k"], "t")
            try network.normalize("t", channels: 3, shifts: false)
            let result = try network.expectFolded(rule: "batchnorm-into-operand", producer: type.lowercased())
            #expect(result.graph.nodes.map(\.type) == ["Exp", type, "Sigmoid"])
        }
    }

    @Test func `a constant without the channels grows when nothing else takes the scale`() throws {
        for hasProducer in [false, true] {
            var network = BackwardNetwork()
            if hasProducer {
                try network.convolution("h", [2, 3, 4, 4])
            } else {
                network.builder.input("h", [2, 3, 4, 4])
            }
            try network.builder.weight("k", [4, 4])
            try network.node("Mul", ["k", "h"], "t")
            try network.normalize("t", channels: 3, shifts: false)
            let result = try network.expectFolded(
                rule: hasProducer ? "batchnorm-into-conv" : "batchnorm-into-operand")
            #expect((result.graph.constants["k"] != nil) == hasProducer)
        }
    }
}
