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

    /// The recognition of arithmetic made wrong on purpose.
    enum ArithmeticMutation: CaseIterable {
        case otherAxis, droppedShift, flippedShift, flippedScale, reciprocal
    }

    struct MutatedRecognition: FoldRule {
        let mutation: ArithmeticMutation
        let name = "mutant"

        func proposal(at node: Node, in context: FoldContext) throws(FoldRefusal) -> FoldProposal? {
            guard var proposal = try RecogniseChannelArithmetic().proposal(at: node, in: context),
                let replacement = proposal.edit.replacements[node.identifier],
                let affine = replacement.operation as? Affine
            else { return nil }
            var (scale, shift, axis) = (affine.scale, affine.shift, affine.axis)
            switch mutation {
            case .otherAxis: axis = axis == 1 ? 2 : 1
            case .droppedShift: shift = shift.map { _ in 0 }
            case .flippedShift: shift = shift.map { -$0 }
            case .flippedScale: scale = scale.map { -$0 }
            case .reciprocal: scale = scale.map { 1 / $0 }
            }
            do {
                proposal.edit.replacements[node.identifier] = try Node(
                    name: node.name, domain: Affine.domain, type: Affine.type,
                    attributes: Affine.attributes(scale: scale, shift: shift, axis: axis), opset: 17,
                    inputs: replacement.inputs, outputs: replacement.outputs, sources: [node])
            } catch {
                throw FoldRefusal("\(error)")
            }
            return proposal
        }
    }

    @Test(arguments: ArithmeticMutation.allCases)
    func `the comparison rejects arithmetic with`(_ mutation: ArithmeticMutation) throws {
        // The second has its channels on the last axis, where a transpose brings the first axes' extents.
        for perm in [[0, 1, 2, 3], [0, 2, 1, 3]] as [[Int64]] {
            var builder = GraphBuilder(elementType: .float64)
            builder.input("x", [1, 3, 4, 4])
            try builder.weight("w", [4, 3, 1, 1])
            try builder.node("Conv", ["x", "w"], "h")
            try builder.node("Transpose", ["h"], "t", ["perm": .integers(perm)])
            let shape = perm[1] == 1 ? [4, 1, 1] : [1, 4, 1]
            try RecogniseChannelArithmeticTests.decomposed(&builder, "t", "y", shape: shape)
            builder.output("y")
            let graph = try builder.graph()
            let rules = FoldPipeline.standard.rules.map { rule -> any FoldRule in
                rule is RecogniseChannelArithmetic ? MutatedRecognition(mutation: mutation) : rule
            }
            let wrong = try FoldPipeline(rules: rules).run(graph)
            // A wrong axis may leave nothing to fold; then the nodes are what they were.
            #expect(mutation == .otherAxis || wrong.report.foldedChainCount == 1)
            let error = try Comparison(graph, wrong.graph).error
            #expect(wrong.report.foldedChainCount == 1 ? error > 1e-3 : error == 0)
            #expect(try Comparison(graph, FoldPipeline.standard.run(graph).graph).error < 1e-12)
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
