import Graph
import Tensors
import Testing

import Folding

@Suite struct FoldTreePropertyTests {
    /// The pipeline without forward folds: what stays is where a backward fold was refused.
    static let backward = FoldPipeline(
        rules: FoldPipeline.standard.rules.filter { !$0.isForward })

    @Test func `3000 random trees keep their function at every value that keeps its name`() throws {
        var foldedCount = 0
        // How often a node of each type was changed by a fold.
        var changes: [String: Int] = [:]
        for seed in 0..<UInt64(3000) {
            let tree = try RandomTree(seed: seed)
            let graph = try tree.builder.graph()
            let result = try Self.backward.run(graph)
            let error = try Comparison(graph, result.graph, seed: seed).error
            #expect(error < 1e-10, "seed \(seed): \(graph.nodes.map(\.type)) \(result.report.entries)")
            #expect(result.report.entries.count == graph.count(of: "BatchNormalization"))
            let isFolded = result.report.foldedCount + result.report.foldedChainCount > 0
            guard isFolded else { continue }
            foldedCount += 1
            for node in result.graph.nodes where graph.node(node.name)?.inputs != node.inputs {
                changes[node.type, default: 0] += 1
            }
        }
        #expect(foldedCount > 800)
        // These have tests of their own; no tree has them.
        let others: Set<String> = ["Cast", "Gather", "Mean", "Neg"]
        let types = FoldBackward.standardSteps.flatMap(\.types).filter { !others.contains($0) }
        for type in types { #expect(changes[type, default: 0] > 0, "\(type)") }
    }
}
