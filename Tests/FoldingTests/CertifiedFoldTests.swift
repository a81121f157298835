import Certification
import Graph
import Tensors
import Testing

import Folding

/// What the rules fold keeps its function, and is to be proven: a rejected fold is undone, and a fold lost.
@Suite struct CertifiedFoldTests {
    private enum Failure {
        case otherFunction, notProven
    }

    private static func failure(of graph: Graph, seed: UInt64) throws -> Failure? {
        let result = try FoldPipeline.standard.run(graph)
        let type = graph.inputs.first?.info.elementType ?? .float64
        guard try Comparison(graph, result.graph, seed: seed).error < tolerance(type) else {
            return .otherFunction
        }
        return try Certifier().certify(original: graph, folded: result.graph).isProven ? nil : .notProven
    }

    @Test(arguments: GraphFamily.allCases)
    func `3500 random graphs keep their function, and the folds are proven`(_ family: GraphFamily) throws {
        var rejected: [String] = []
        for seed in 0..<UInt64(3500) {
            let graph = try family.builder(seed: seed).graph()
            guard let failure = try Self.failure(of: graph, seed: seed) else { continue }
            let shrinker = GraphShrinker { (try? Self.failure(of: $0, seed: seed)) == failure }
            let path = shrinker.write(graph, name: "\(family)-\(seed)")
            #expect(failure == .notProven, "\(path)")
            rejected.append(path)
        }
        #expect(rejected.isEmpty, "not proven")
    }

    @Test func `every kind of linear operator is tried out on a cropped equivalent`() throws {
        for type in ["Conv", "ConvTranspose", "Gemm", "MatMul"] {
            var certificate: Certificate?
            for seed in 0..<UInt64(400) where certificate == nil {
                let graph = try GraphFamily.neighbourhood.builder(seed: seed).graph()
                let result = try FoldPipeline.standard.run(graph)
                guard graph.count(of: type) > 0, result.report.foldedCount > 0 else { continue }
                certificate = try Certifier().certify(original: graph, folded: result.graph)
            }
            let found = try #require(certificate)
            #expect(found.isProven && found.croppedEquivalentCount > 0, "\(type)")
        }
    }
}
