import Certification
import Graph
import Tensors
import Testing

import Folding

@Suite struct DropDeadChannelsTests {
    /// Two layers with a batch normalization of which some channels are constant, and what a test puts between.
    struct Network {
        var builder: GraphBuilder
        let channels: Int
        private(set) var value = "h"

        init(channels: Int, dense: Bool = false, type: ElementType = .float64, seed: UInt64 = 3) throws {
            builder = GraphBuilder(seed: seed, elementType: type)
            self.channels = channels
            builder.input("x", dense ? [2, 5] : [2, 2, 4, 4])
            try builder.weight("w1", dense ? [5, channels] : [channels, 2, 3, 3])
            try builder.weight("c1", [channels])
            try builder.node(dense ? "Gemm" : "Conv", ["x", "w1", "c1"], "h", name: "first")
        }

        /// `zeros`: the dead channels that are 0; the others are what `bias` says.
        mutating func normalize(dead: [Int], zeros: Set<Int> = []) throws {
            var scale = builder.reals(channels, in: 0.5...2)
            var bias = builder.reals(channels, in: 0.25...1)
            for channel in dead { scale[channel] = 0 }
            for channel in zeros { bias[channel] = 0 }
            try builder.batchNorm(
                value, "n", scale: scale, bias: bias, mean: builder.reals(channels),
                variance: builder.reals(channels, in: 0.5...2), name: "bn")
            value = "n"
        }

        mutating func then(
            _ type: String, _ more: [String?] = [], _ attributes: [String: Attribute] = [:]
        ) throws {
            let next = value + "_"
            value = try builder.node(type, [value] + more, next, name: type.lowercased(), attributes)
        }

        mutating func finish(padded: Bool = false, bias: Bool = true) throws {
            try builder.weight("w2", [3, channels, 2, 2])
            try builder.weight("c2", [3])
            let pads: [Int64] = padded ? [1, 0, 0, 1] : [0, 0, 0, 0]
            try builder.node(
                "Conv", [value, "w2"] + (bias ? ["c2"] : []), "y", name: "second",
                ["pads": .integers(pads)])
            builder.output("y")
        }

        /// Folds, compares and proves; the channels that the first layer has left.
        func folded(sourceLocation: SourceLocation = #_sourceLocation) throws -> (FoldResult, kept: Int) {
            let graph = try builder.graph()
            let result = try FoldPipeline.standard.run(graph)
            #expect(
                try Comparison(graph, result.graph).error < tolerance(builder.elementType),
                sourceLocation: sourceLocation)
            let certificate = try Certifier().certify(original: graph, folded: result.graph)
            #expect(certificate.failures.map(\.description) == [], sourceLocation: sourceLocation)
            let node = try #require(result.graph.node("first"), sourceLocation: sourceLocation)
            let weight = try #require(node.input(1).flatMap { result.graph.constants[$0] })
            return (result, weight.shape[node.type == "Conv" ? 0 : 1])
        }

        func expectKept(_ reason: String, sourceLocation: SourceLocation = #_sourceLocation) throws {
            let (result, _) = try folded(sourceLocation: sourceLocation)
            let dead = result.report.entry("bn")?.deadChannels
            #expect(dead?.reason == reason, sourceLocation: sourceLocation)
            #expect(dead?.droppedCount == 0, sourceLocation: sourceLocation)
        }
    }

    @Test(
        arguments: ["Relu", "LeakyRelu", "Clip", "MaxPool", "AveragePool"], [ElementType.float32, .float64])
    func `constant channels go, and what they add is in the next bias`(_ type: String, _ element: ElementType)
        throws
    {
        for (channels, bias) in [(12, true), (12, false), (8, true)] {
            var network = try Network(channels: channels, type: element)
            try network.normalize(dead: [0, 3, 4, 5, 7])
            try network.builder.constant("lo", [0.5], [])
            try network.builder.constant("hi", [2], [])
            try network.then(
                type, type == "Clip" ? ["lo", "hi"] : [],
                type.hasSuffix("Pool") ? ["kernel_shape": .integers([1, 1])] : [:])
            try network.finish(bias: bias)
            guard channels == 12 else {
                try network.expectKept("5 of 8 channels can go, and engines compute 8 together (second)")
                continue
            }
            let (result, kept) = try network.folded()
            #expect(kept == 8)
            let entry = try #require(result.report.entry("bn"))
            #expect(entry.outcome == .folded && entry.input == "x" && entry.output == "y")
            #expect(entry.deadChannels?.count == 5 && entry.deadChannels?.droppedCount == 4)
            let measured = FoldMeasurement.measure(original: try network.builder.graph(), result: result)
            #expect(try #require(measured.entry("bn")?.measuredRelativeError) < tolerance(element))
        }
    }

    @Test(arguments: [false, true])
    func `channels of dense layers go, whatever alpha, beta and transB are`(_ isTransposed: Bool) throws {
        var network = try Network(channels: 9, dense: true)
        try network.normalize(dead: [1, 2, 3, 6])
        try network.then("Relu")
        try network.builder.weight("w2", isTransposed ? [3, 9] : [9, 3])
        try network.builder.weight("c2", [2, 1])
        try network.builder.node(
            "Gemm", [network.value, "w2", "c2"], "y", name: "second",
            ["transB": .integer(isTransposed ? 1 : 0), "alpha": .real(-1.5), "beta": .real(0.5)])
        network.builder.output("y")
        #expect(try network.folded().kept == 5)
    }

    @Test func `into a padded convolution only zeros go`() throws {
        var network = try Network(channels: 5)
        try network.normalize(dead: [0, 1, 2], zeros: [1, 2])
        try network.then("Relu")
        try network.finish(padded: true)
        let (result, kept) = try network.folded()
        #expect(kept == 3)
        let dead = try #require(result.report.entry("bn")?.deadChannels)
        #expect(dead.count == 3 && dead.droppedCount == 2)
        #expect(dead.reason == "its padding is 0 and the constants are not (second)")
    }

    @Test func `refuses what stands in the way`() throws {
        func network(_ change: (inout Network) throws -> Void = { _ in }) throws -> Network {
            var network = try Network(channels: 5)
            try network.normalize(dead: [1, 4])
            try change(&network)
            return network
        }
        var output = try network { try $0.then("Relu") }
        output.builder.output(output.value)
        try output.finish()
        try output.expectKept("the value 'n_' is a graph output (n_)")

        var several = try network { try $0.then("Relu") }
        several.builder.output(try several.builder.node("Sigmoid", [several.value], "other"))
        try several.finish()
        try several.expectKept("several nodes read the value 'n_' (n_)")

        var unknown = try network { try $0.then("Sigmoid") }
        try unknown.finish()
        try unknown.expectKept("constant channels are not followed through Sigmoid (sigmoid)")

        var infinite = try network { try $0.finish() }
        var weight = try #require(infinite.builder.constants["w2"]).reals
        weight[4] = .infinity
        try infinite.builder.constant("w2", weight, [3, 5, 2, 2])
        let result = try FoldPipeline.standard.run(try infinite.builder.graph())
        #expect(result.report.entry("bn")?.deadChannels?.reason == "a weight that would go is not finite")

        var shared = try network { try $0.finish() }
        shared.builder.input("z", [2, 5, 4, 4])
        shared.builder.output(try shared.builder.node("Conv", ["z", "w2"], "other"))
        try shared.expectKept("the weights are shared (w2)")

        var all = try Network(channels: 3)
        try all.normalize(dead: [0, 1, 2])
        try all.finish()
        try all.expectKept("every channel is constant (second)")

        var grouped = try network()
        try grouped.builder.weight("w2", [5, 1, 1, 1])
        try grouped.then("Conv", ["w2"], ["group": .integer(5)])
        grouped.builder.output(grouped.value)
        try grouped.expectKept("the convolution has 5 groups (conv)")
    }

    @Test func `the certificate rejects dropped channels that were alive, and constants that are lost`()
        throws
    {
        var rejectedCount = 0
        for seed in 0..<UInt64(14) {
            var network = try Network(channels: 7, seed: seed)
            try network.normalize(dead: [Int(seed) % 7, 2])
            try network.then(["Relu", "LeakyRelu"][Int(seed) % 2])
            try network.finish(padded: false)
            let graph = try network.builder.graph()
            let result = try FoldPipeline.standard.run(graph)
            #expect(try network.folded().kept < 7)
            for mutant in try CertificateMutantTests.mutants(of: result.graph, besides: graph) {
                let isProven = (try? Certifier().certify(original: graph, folded: mutant.graph))?.isProven
                if isProven ?? false {
                    #expect(try Comparison(graph, mutant.graph).error < 1e-12, "\(seed) \(mutant.kind)")
                } else {
                    rejectedCount += 1
                }
            }
            // Another network, of which one more channel is alive.
            var alive = network
            var scale = try #require(alive.builder.constants["bn.gamma"]).reals
            scale[2] = 0x1p-10
            try alive.builder.constant("bn.gamma", scale, [7])
            let certificate = try Certifier().certify(
                original: try alive.builder.graph(), folded: result.graph)
            #expect(!certificate.isProven)
        }
        #expect(rejectedCount > 60)
    }
}
