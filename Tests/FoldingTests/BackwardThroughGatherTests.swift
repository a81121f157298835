import Certification
import Graph
import Tensors
import Testing

import Folding

@Suite struct BackwardThroughGatherTests {
    private static func network(
        _ indices: [Int], axis: Int = 1, of input: [Int] = [2, 5, 3, 3],
        channels: Int, scales: BackwardNetwork.Scales = .mixed
    ) throws -> BackwardNetwork {
        var network = BackwardNetwork()
        try network.convolution("h", input)
        network.builder.constants["i"] = try Tensor(
            indices.map { Int64($0) }, shape: try Shape([indices.count]))
        try network.node("Gather", ["h", "i"], "t", ["axis": .integer(Int64(axis))])
        try network.normalize("t", channels: channels, scales: scales)
        return network
    }

    private static func expectProven(
        _ network: BackwardNetwork, sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let result = try network.expectFolded(sourceLocation: sourceLocation)
        let certificate = try Certifier().certify(original: network.builder.graph(), folded: result.graph)
        #expect(certificate.failures.map(\.description) == [], sourceLocation: sourceLocation)
    }

    @Test(arguments: BackwardNetwork.Scales.allCases)
    func `channels that are taken have the affine`(_ scales: BackwardNetwork.Scales) throws {
        try Self.expectProven(try Self.network([4, 0, -2], channels: 3, scales: scales))
        try Self.expectProven(try Self.network([4, 0, -2], axis: -3, channels: 3, scales: scales))
    }

    @Test func `other axes leave the channels alone, and a uniform affine goes anywhere`() throws {
        try Self.expectProven(try Self.network([2, 0, 2], axis: 2, channels: 5))
        try Self.expectProven(try Self.network([1, 0], axis: 0, channels: 5))
        try Self.expectProven(try Self.network([1, 1], channels: 2, scales: .uniform))
    }

    @Test func `refuses one channel twice with different scales, and indices that a caller may give`() throws
    {
        let reason = "the channels that it takes are not known, or one is taken twice"
        try Self.network([1, 1], channels: 2).expectRefused(reason, by: "gather")
        var network = try Self.network([1, 2], channels: 2)
        network.builder.inputs.append(Graph.Port(name: "i", info: ValueInfo(.int64, [.known(2)])))
        network.builder.overridable = ["i"]
        let result = try BackwardNetwork.pipeline.run(network.builder.graph())
        #expect(result.report.entry("bn")?.reason == "what it takes is not constant")
    }
}

@Suite struct BackwardThroughNegationTests {
    @Test(arguments: BackwardNetwork.Scales.allCases)
    func `a negation and a mean of values keep scale and shift`(_ scales: BackwardNetwork.Scales) throws {
        for shifts in [true, false] {
            var network = BackwardNetwork()
            for name in ["f", "g", "h"] { try network.convolution(name, [2, 3, 2, 2]) }
            try network.node("Neg", ["g"], "n")
            try network.node("Mean", ["f", "n", "h"], "m")
            try network.normalize("m", channels: 3, scales: scales, shifts: shifts)
            let result = try network.expectFolded()
            let certificate = try Certifier().certify(
                original: network.builder.graph(), folded: result.graph)
            #expect(certificate.failures.map(\.description) == [])
            for mutant in try CertificateMutantTests.mutants(
                of: result.graph, besides: try network.builder.graph())
            {
                let proof = try? Certifier().certify(
                    original: network.builder.graph(), folded: mutant.graph)
                guard proof?.isProven ?? false else { continue }
                #expect(try Comparison(network.builder.graph(), mutant.graph).error < 1e-12)
            }
        }
    }
}
