import Folding
import Graph
import Tensors
import Testing

import ModelServing

@Suite struct ProvenFoldTests {
    /// A rule that doubles every number of the weights that it makes.
    private struct LyingRule: FoldRule {
        let base: any FoldRule
        var name: String { base.name }
        var isForward: Bool { base.isForward }

        func proposal(at node: Node, in context: FoldContext) throws(FoldRefusal) -> FoldProposal? {
            guard node.name != "honest", var proposal = try base.proposal(at: node, in: context) else {
                return try base.proposal(at: node, in: context)
            }
            for (name, tensor) in proposal.edit.insertedConstants {
                let values = (ExactTensor(tensor).reals ?? []).map { $0 * 2 }
                proposal.edit.insertedConstants[name] =
                    ExactTensor(reals: values, shape: tensor.shape, elementType: tensor.elementType).tensor
            }
            return proposal
        }
    }

    /// Two convolutions, each with a batch normalization: `lied` and `honest`.
    private func graph() throws -> Graph {
        func constant(_ values: [Float], _ dimensions: [Int]) throws -> Tensor {
            try Tensor(values, shape: Shape(dimensions))
        }
        var constants: [String: Tensor] = [:]
        var nodes: [Node] = []
        for (name, input, output) in [("lied", "x", "m"), ("honest", "m", "y")] {
            constants[name + ".w"] = try constant([1, 2, 3, 4], [2, 2, 1, 1])
            for (role, values) in [("g", [2, -1]), ("b", [1, 3]), ("u", [0.5, 0.25]), ("v", [1, 4])] {
                constants["\(name).\(role)"] = try constant(values.map(Float.init), [2])
            }
            nodes.append(
                try Node(
                    name: name + ".conv", type: "Conv", opset: 17, inputs: [input, name + ".w"],
                    outputs: [name + ".h"]))
            nodes.append(
                try Node(
                    name: name, type: "BatchNormalization", opset: 17,
                    inputs: [name + ".h"] + ["g", "b", "u", "v"].map { "\(name).\($0)" }, outputs: [output]))
        }
        let dimensions = [1, 2, 3, 3].map(Dimension.known)
        return try Graph(
            name: "test", opset: 17, inputs: [Graph.Port(name: "x", info: ValueInfo(.float32, dimensions))],
            outputs: [Graph.Port(name: "y", info: ValueInfo(.float32, nil))], constants: constants,
            nodes: nodes)
    }

    @Test func `a fold that cannot be proven is undone, the others stay`() throws {
        let lying = FoldPipeline(rules: FoldPipeline.standard.rules.map { LyingRule(base: $0) })
        let proven = try ProvenFold(graph(), pipeline: lying, makesDigest: true)
        // Of the graph that was proven, none that was not.
        #expect(proven.digest == GraphDigest.text(proven.graph))
        #expect(proven.certificate.isProven)
        #expect(proven.report.entries.map(\.outcome) == [.refused, .folded])
        #expect(proven.report.entries[0].reason?.contains("could not be proven") == true)
        #expect(proven.report.entries[0].proof == nil)
        #expect(try #require(proven.report.entries[1].proof).weightError < 0x1p-22)
    }

    @Test func `an honest pipeline folds both, with bounds and digests`() throws {
        let graph = try graph()
        let proven = try ProvenFold(graph)
        #expect(proven.digest == nil)
        #expect(
            try ProvenFold(graph, threadCount: 2, makesDigest: true).digest == GraphDigest.text(proven.graph))
        #expect(proven.report.foldedCount == 2)
        #expect(proven.report.entries.allSatisfy { $0.proof?.bound != nil })
        var report = proven.report
        report.addDigests(original: graph, folded: proven.graph)
        #expect(report.modelDigest == GraphDigest.text(graph))
        #expect(report.foldDigest == GraphDigest.text(proven.graph))
        #expect(report.modelDigest != report.foldDigest)
    }

    @Test func `a digest tells any change of weights, names and order`() throws {
        let graph = try graph()
        #expect(GraphDigest.text(graph) == GraphDigest.text(try self.graph()))
        var other = graph
        other.constants["lied.w"] = try Tensor([1, 2, 3, 5] as [Float], shape: Shape([2, 2, 1, 1]))
        var renamed = graph
        renamed.constants["lied.ww"] = graph.constants["lied.w"]
        let digests = [graph, other, renamed].map { GraphDigest.text($0) }
        #expect(Set(digests).count == 3 && digests.allSatisfy { $0.count == 64 })
        #expect(digests == [graph, other, renamed].map { GraphDigest.text($0, threadCount: 3) })
    }
}
