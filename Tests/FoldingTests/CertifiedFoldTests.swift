import Certification
import Foundation
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

    @Test(arguments: GraphFamily.allCases)
    func `a proof is the same on one thread and on several`(_ family: GraphFamily) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        for seed in 0..<UInt64(60) {
            let graph = try family.builder(seed: seed).graph()
            var folded = try FoldPipeline.standard.run(graph).graph
            // Proofs that fail are compared too: one weight is another one.
            if seed.isMultiple(of: 3), let name = folded.constants.keys.min(),
                let tensor = folded.constants[name], let values = try? tensor.elements(as: Float.self)
            {
                folded.constants[name] = try Tensor(values.map { $0 + 1 }, shape: tensor.shape)
            }
            let texts = try [1, 2, 5].map { threadCount in
                let certificate = try Certifier(threadCount: threadCount).certify(
                    original: graph, folded: folded)
                return try encoder.encode(certificate)
            }
            #expect(texts[1] == texts[0] && texts[2] == texts[0], "\(family) \(seed)")
        }
    }
}
