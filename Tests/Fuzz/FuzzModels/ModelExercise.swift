import Certification
import Folding
import Graph

/// What is done with a model that was read: shapes, fold, proof, and evaluation as far as values stay small.
package enum ModelExercise {
    package static let maximumNodeCount = 64

    package static func run(_ graph: Graph) {
        guard graph.nodes.count <= maximumNodeCount else { return }
        _ = try? graph.inferValues()
        if let result = try? FoldPipeline.standard.run(graph) {
            _ = FoldMeasurement.measure(original: graph, result: result)
            _ = try? Certifier().certify(original: graph, folded: result.graph)
            BoundedEvaluation(result.graph).run()
        }
        BoundedEvaluation(graph).run()
    }
}
