import Graph
import Tensors
import Testing

import Folding

@Suite struct FoldPropertyTests {
    @Test func `1500 random graphs keep their function at every value that keeps its name`() throws {
        var foldedCount = 0
        var foldedChainCount = 0
        for seed in 0..<UInt64(1500) {
            let random = try RandomGraph(seed: seed)
            let graph = try random.builder.graph()
            let result = try FoldPipeline.standard.run(graph)
            let error = try Comparison(graph, result.graph, seed: seed).error
            #expect(error < tolerance(random.builder.elementType), "seed \(seed): \(graph.nodes.map(\.type))")
            #expect(result.report.foldedCount == random.foldable, "seed \(seed): \(result.report.entries)")
            #expect(
                result.report.foldedChainCount == random.foldableChains,
                "seed \(seed): \(graph.nodes.map(\.type)) \(result.report.chains)")
            #expect(result.report.entries.count == graph.count(of: "BatchNormalization"))
            foldedCount += result.report.foldedCount
            foldedChainCount += result.report.foldedChainCount
        }
        #expect(foldedCount > 500 && foldedChainCount > 200)
    }
}
