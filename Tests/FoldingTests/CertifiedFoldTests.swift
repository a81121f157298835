import Certification
import Graph
import Tensors
import Testing

import Folding

/// What the rules fold rightly is to be proven: a rejected fold is undone, and a fold lost.
@Suite struct CertifiedFoldTests {
    @Test(arguments: GraphFamily.allCases)
    func `3500 random graphs' folds are proven`(_ family: GraphFamily) throws {
        var pieceCount = 0
        var rejected: [String] = []
        for seed in 0..<UInt64(3500) {
            let graph = try family.builder(seed: seed).graph()
            let result = try FoldPipeline.standard.run(graph)
            let certificate = try Certifier().certify(original: graph, folded: result.graph)
            if !certificate.isProven {
                rejected.append("seed \(seed): \(certificate.failures) \(graph.nodes.map(\.type))")
            }
            pieceCount += certificate.pieces.count
        }
        print("\(family): \(pieceCount) pieces proven, \(rejected.count) graphs not")
        #expect(pieceCount > 500)
        // Two trees stack operators as no network does: a cubic Resize of the axis before the channels, and a Split of a
        // concatenation of two grouped layers.
        #expect(rejected.count <= (family == .tree ? 2 : 0), "\(rejected)")
    }
}
