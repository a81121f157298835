import Certification
import Graph
import Tensors
import Testing

import Folding

/// Whatever the rules fold rightly must be proven: a rejected fold is a fold lost.
@Suite struct CertifiedFoldTests {
    @Test func `1500 random graphs' folds are proven`() throws {
        for seed in 0..<UInt64(1500) {
            let random = try RandomGraph(seed: seed)
            let graph = try random.builder.graph()
            let result = try FoldPipeline.standard.run(graph)
            let certificate = try Certifier().certify(original: graph, folded: result.graph)
            #expect(certificate.isProven, "seed \(seed): \(certificate.failures) \(graph.nodes.map(\.type))")
        }
    }
}
