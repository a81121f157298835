import Certification
import Graph
import Tensors
import Testing

import Folding

@Suite struct FoldNormalizationForwardTests {
    struct Case: CustomTestStringConvertible {
        let type: String
        /// Of scale and bias.
        let shape: [Int]
        var opset = 23
        var attributes: [String: Attribute] = [:]
        var testDescription: String { "\(type) \(shape) of opset \(opset)" }
    }

    static let cases = [
        Case(type: "LayerNormalization", shape: [4]),
        Case(type: "LayerNormalization", shape: [1, 4], attributes: ["axis": .integer(-2)]),
        Case(type: "LayerNormalization", shape: [4, 1, 1], attributes: ["axis": .integer(1)]),
        Case(type: "RMSNormalization", shape: [4]),
        Case(type: "GroupNormalization", shape: [4], attributes: ["num_groups": .integer(2)]),
        Case(type: "GroupNormalization", shape: [2], opset: 18, attributes: ["num_groups": .integer(2)]),
        Case(type: "InstanceNormalization", shape: [4]),
    ]

    /// x [2, 4, 4, 4] → normalization → what takes its channels: a convolution or a product.
    private static func builder(_ c: Case, pads: Int64 = 0) throws -> (GraphBuilder, isFirst: Bool) {
        var builder = GraphBuilder(elementType: .float64)
        builder.opset = c.opset
        builder.input("x", [.symbol("N"), .known(4), .known(4), .known(4)])
        try builder.weight("gamma", c.shape)
        try builder.weight("beta", c.shape)
        let hasBias = c.type != "RMSNormalization"
        try builder.node(
            c.type, ["x", "gamma"] + (hasBias ? ["beta"] : []), "h", name: "norm", c.attributes)
        let isFirst = !(c.type == "LayerNormalization" && c.shape.count < 3) && c.type != "RMSNormalization"
        if isFirst {
            try builder.weight("w", [2, 4, 3, 3])
            try builder.node(
                "Conv", ["h", "w"], "y", name: "next", ["pads": .integers([pads, pads, pads, pads])])
        } else {
            try builder.weight("w", [4, 3])
            try builder.weight("c", [3])
            try builder.node("MatMul", ["h", "w"], "p", name: "next")
            try builder.node("Add", ["p", "c"], "y", name: "sum")
        }
        builder.output("y")
        return (builder, isFirst)
    }

    @Test(arguments: cases)
    func `scale and bias go into what follows`(_ c: Case) throws {
        let (builder, isFirst) = try Self.builder(c)
        let graph = try builder.graph()
        let result = try FoldPipeline.standard.run(graph)
        #expect(result.graph.nodes.map(\.name) == (isFirst ? ["norm", "next"] : ["norm", "next", "sum"]))
        let entry = try #require(result.report.chains.first)
        #expect(result.report.chains.count == 1)
        #expect(entry.outcome == .folded && entry.batchNorm == "norm")
        #expect(entry.chain?.description == "scale and bias of \(c.type)")
        #expect(entry.consumer == "next" && entry.channelCount == 4)
        let norm = try #require(result.graph.node("norm"))
        for (position, expected) in [(1, 1.0), (2, 0.0)] where position < norm.inputs.count {
            let name = try #require(norm.inputs[position])
            #expect(result.graph.constants[name]?.reals.allSatisfy { $0 == expected } == true)
        }
        #expect(result.graph.constants["gamma"] == nil && result.graph.constants["w"] == nil)
        for extent in [1, 3] {
            #expect(try Comparison(graph, result.graph, extent: extent).error < 1e-12)
        }
        let certificate = try Certifier().certify(original: graph, folded: result.graph)
        #expect(certificate.isProven, "\(certificate.failures)")
        // Neutral parameters are not folded again.
        let again = try FoldPipeline.standard.run(result.graph).graph
        #expect(again.nodes.map(\.inputs) == result.graph.nodes.map(\.inputs))
    }

    @Test func `stays as it is where a node would be needed or somebody else reads it`() throws {
        for c in Self.cases where c.type == "GroupNormalization" {
            let (padded, _) = try Self.builder(c, pads: 1)
            let graph = try padded.graph()
            #expect(
                try FoldPipeline.standard.run(graph).graph.nodes.map(\.inputs) == graph.nodes.map(\.inputs))
        }
        for c in Self.cases {
            var (builder, _) = try Self.builder(c)
            try builder.node("Relu", ["h"], "r")
            builder.output("r")
            let graph = try builder.graph()
            #expect(
                try FoldPipeline.standard.run(graph).graph.nodes.map(\.inputs) == graph.nodes.map(\.inputs))
        }
    }

    @Test func `refuses parameters that differ along two axes or that a caller may override`() throws {
        var (builder, _) = try Self.builder(
            Case(type: "LayerNormalization", shape: [4, 4], attributes: ["axis": .integer(-2)]))
        var graph = try builder.graph()
        #expect(try FoldPipeline.standard.run(graph).graph.nodes.map(\.inputs) == graph.nodes.map(\.inputs))
        for name in ["gamma", "beta"] {
            (builder, _) = try Self.builder(Self.cases[0])
            builder.overridable = [name]
            graph = try builder.graph()
            let folded = try FoldPipeline.standard.run(graph).graph
            #expect(folded.nodes.map(\.inputs) == graph.nodes.map(\.inputs))
        }
    }
}
