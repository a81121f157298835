import Certification
import Graph
import Tensors
import Testing

import Folding

@Suite struct FoldForwardPropertyTests {
    @Test func `2000 random graphs keep their function, and fold where the formulas say so`() throws {
        var foldedCount = 0
        for seed in 0..<UInt64(2000) {
            let random = try RandomForwardGraph(seed: seed)
            let graph = try random.builder.graph()
            let result = try FoldPipeline.standard.run(graph)
            let error = try Comparison(graph, result.graph, seed: seed).error
            #expect(error < tolerance(random.builder.elementType), "seed \(seed): \(graph.nodes.map(\.type))")
            let entry = try #require(result.report.entry("bn"))
            #expect(
                (entry.outcome == .folded) == random.folds,
                "seed \(seed): \(graph.nodes.map(\.type)) \(entry.reason ?? "")")
            if seed.isMultiple(of: 8) {
                let certificate = try Certifier().certify(original: graph, folded: result.graph)
                #expect(
                    certificate.isProven, "seed \(seed): \(graph.nodes.map(\.type)) \(certificate.failures)")
            }
            foldedCount += result.report.foldedCount
        }
        #expect(foldedCount > 600 && foldedCount < 1800)
    }
}
