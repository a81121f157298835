import Graph
import Tensors
import Testing

import Folding

/// Folds made wrong on purpose: the comparison that the other tests trust must reject each of them.
@Suite struct FoldMutantTests {
    enum Mutation: CaseIterable {
        case wrongAxis, droppedBias, flippedSign, oneWeight
    }

    /// A rule whose proposals are changed before the pipeline sees them.
    struct MutatedRule: FoldRule {
        let base: any FoldRule
        let mutation: Mutation
        var name: String { base.name }

        func proposal(at node: Node, in context: FoldContext) throws(FoldRefusal) -> FoldProposal? {
            guard var proposal = try base.proposal(at: node, in: context) else { return nil }
            guard case .absorbed(let absorption) = proposal.effect,
                let old = context.graph.node(absorption.node), let affine = node.operation as? Affine
            else { return proposal }
            for (name, tensor) in proposal.edit.insertedConstants {
                var values = tensor.reals
                if name.hasSuffix("_bias") {
                    if mutation == .droppedBias { values = values.map { _ in 0 } }
                } else {
                    switch mutation {
                    case .wrongAxis: values = scaledAlongOtherAxis(old, affine, context)
                    case .flippedSign: values = values.map { -$0 }
                    case .oneWeight:
                        values[values.indices.max { abs(values[$0]) < abs(values[$1]) }!] *= 1.001
                    case .droppedBias: break
                    }
                }
                proposal.edit.insertedConstants[name] =
                    ExactTensor(reals: values, shape: tensor.shape, elementType: tensor.elementType).tensor
            }
            return proposal
        }

        private func isTransposed(_ node: Node) -> Bool {
            if case .integer(1) = node.attributes["transB"] { true } else { false }
        }

        /// Axes 0 and 1 have the same extent in every graph here.
        private func scaledAlongOtherAxis(_ old: Node, _ affine: Affine, _ context: FoldContext) -> [Double] {
            let weight = context.graph.fixedConstant(old.inputs[1])!
            let isOnAxis0 = old.type == "Conv" || isTransposed(old)
            let stride = weight.shape.strides[isOnAxis0 ? 1 : 0]
            return weight.reals.enumerated().map { $1 * affine.scale[$0 / stride % weight.shape[0]] }
        }
    }

    static func graphs() throws -> [Graph] {
        let sizes = [
            try FoldIntoConvTests.builder(input: [1, 4, 5, 5], weight: [4, 4, 3, 3], elementType: .float64),
            try FoldIntoConvTransposeTests.builder(input: [1, 4, 3, 3], weight: [4, 4, 3, 3]),
            try FoldIntoGemmTests.builder(rows: 4, depth: 4, columns: 4, bias: [4]),
            try FoldIntoGemmTests.builder(rows: 4, depth: 4, columns: 4, bias: [4], transB: true),
            try FoldIntoMatMulTests.builder(input: [4, 4], weight: [4, 4], channels: 4),
            try FoldIntoMatMulAddTests.builder(input: [4, 4], weight: [4, 4], bias: [4], channels: 4),
        ]
        return try sizes.map { try $0.graph() }
    }

    @Test(arguments: Mutation.allCases)
    func `the comparison rejects`(_ mutation: Mutation) throws {
        for graph in try Self.graphs() {
            let rules = FoldPipeline.standard.rules.map { MutatedRule(base: $0, mutation: mutation) }
            let wrong = try FoldPipeline(rules: rules).run(graph)
            #expect(wrong.report.foldedCount == 1)
            #expect(try Comparison(graph, wrong.graph).error > 1e-5, "\(graph.nodes[0].type)")
            let right = try FoldPipeline.standard.run(graph)
            #expect(try Comparison(graph, right.graph).error < 1e-6)
        }
    }

    @Test(arguments: Mutation.allCases)
    func `the measurement rejects`(_ mutation: Mutation) throws {
        for graph in try Self.graphs() {
            let rules = FoldPipeline.standard.rules.map { MutatedRule(base: $0, mutation: mutation) }
            let wrong = try FoldPipeline(rules: rules).run(graph)
            let report = FoldMeasurement.measure(original: graph, result: wrong)
            #expect((report.entries[0].measuredRelativeError ?? 0) > 1e-5, "\(graph.nodes[0].type)")
        }
    }
}
