import Graph
import Tensors
import Testing

import Folding

@Suite struct FoldPipelineTests {
    /// x → (conv → bn → relu) × depth → y
    static func network(depth: Int, elementType: ElementType = .float32) throws -> GraphBuilder {
        var builder = GraphBuilder(elementType: elementType)
        builder.input("x", [.symbol("N"), .known(2), .known(3), .known(3)])
        for layer in 0..<depth {
            try builder.weight("w\(layer)", [2, 2, 3, 3])
            try builder.node(
                "Conv", ["v\(layer)", "w\(layer)"], "c\(layer)", name: "conv\(layer)",
                ["pads": .integers([1, 1, 1, 1])])
            try builder.batchNorm("c\(layer)", "b\(layer)", channels: 2, name: "bn\(layer)")
            try builder.node("Relu", ["b\(layer)"], "v\(layer + 1)", name: "relu\(layer)")
        }
        builder.inputs[0] = Graph.Port(name: "v0", info: builder.inputs[0].info)
        builder.output("v\(depth)")
        return builder
    }

    @Test func `every normalization gets one entry in graph order`() throws {
        let graph = try Self.network(depth: 12).graph()
        let result = try FoldPipeline.standard.run(graph)
        #expect(result.report.entries.map(\.batchNorm) == (0..<12).map { "bn\($0)" })
        #expect(result.report.foldedCount == 12 && result.report.refusedCount == 0)
        #expect(result.report.nodeCountBefore == 36 && result.report.nodeCountAfter == 24)
        #expect(result.report.weightByteCountBefore == 12 * (36 + 8) * 4)
        #expect(result.report.weightByteCountAfter == 12 * (36 + 2) * 4)
        #expect(result.graph.nodes.map(\.name) == (0..<12).flatMap { ["conv\($0)", "relu\($0)"] })
        #expect(result.report.notice == nil)
    }

    @Test func `a network matches itself unfolded at every value that keeps its name`() throws {
        let graph = try Self.network(depth: 4, elementType: .float64).graph()
        let comparison = try Comparison(graph, FoldPipeline.standard.run(graph).graph)
        #expect(comparison.error < 1e-12 && comparison.valueCount == 8)
    }

    @Test func `folding a folded graph changes nothing`() throws {
        let once = try FoldPipeline.standard.run(Self.network(depth: 3).graph()).graph
        let twice = try FoldPipeline.standard.run(once).graph
        #expect(twice.nodes.map(\.inputs) == once.nodes.map(\.inputs))
        #expect(Set(twice.constants.keys) == Set(once.constants.keys))
    }

    @Test func `a model without any says how to export with them`() throws {
        var builder = GraphBuilder()
        builder.input("x", [1, 2])
        try builder.node("Relu", ["x"], "y")
        builder.output("y")
        let report = try FoldPipeline.standard.run(builder.graph()).report
        #expect(report.entries.isEmpty)
        #expect(report.notice?.contains("TrainingMode.PRESERVE") == true)
    }

    @Test func `a new value never takes a name of the model as it was read`() throws {
        var builder = try Self.network(depth: 1)
        try builder.weight("conv0_weight", [2])
        try builder.node("Add", ["v1", "conv0_bias"], "conv0_weight_1", name: "late")
        try builder.weight("conv0_bias", [2, 1, 1])
        builder.output("conv0_weight_1")
        let graph = try builder.graph()
        let result = try FoldPipeline.standard.run(graph)
        let known = Set(graph.constants.keys).union(graph.nodes.flatMap(\.outputs).compactMap { $0 })
        let inputs = try #require(result.graph.node("conv0")).inputs.dropFirst().compactMap { $0 }
        #expect(inputs.count == 2 && known.isDisjoint(with: inputs))
        #expect(try Comparison(graph, result.graph).error < 1e-6)
    }

    @Test func `a normalization that nothing depends on is gone and has its entry`() throws {
        var builder = try Self.network(depth: 1)
        try builder.batchNorm("v1", "unused", channels: 2, name: "dead")
        let report = try FoldPipeline.standard.run(builder.graph()).report
        #expect(report.entry("dead")?.outcome == .folded && report.entry("dead")?.rule == "remove-unused")
    }

    @Test(arguments: ["Sigmoid", "LRN", "Softmax"])
    func `what cannot absorb it is named`(_ type: String) throws {
        var builder = GraphBuilder()
        builder.input("x", [2, 3, 4, 4])
        try builder.node(
            type, ["x"], "h", name: "before", type == "LRN" ? ["size": .integer(3)] : [:])
        try builder.batchNorm("h", "y", channels: 3, name: "bn")
        builder.output("y")
        try expectRefusal(
            builder,
            "the preceding node is \(type), only Conv, ConvTranspose, Gemm and MatMul can absorb it backward",
            blockedBy: "before")
    }

    @Test func `a normalization of the graph's input stays`() throws {
        var builder = GraphBuilder()
        builder.input("x", [2, 3, 4, 4])
        try builder.batchNorm("x", "y", channels: 3, name: "bn")
        builder.output("y")
        try expectRefusal(
            builder, "no node precedes it, only Conv, ConvTranspose, Gemm and MatMul can absorb it backward",
            blockedBy: "x")
    }

    /// A rule that is wrong in a way that the checks must see.
    private struct BrokenRule: FoldRule {
        let name = "broken"
        let change: @Sendable (inout GraphEdit, Node) throws(FoldRefusal) -> Void

        func proposal(at node: Node, in context: FoldContext) throws(FoldRefusal) -> FoldProposal? {
            guard node.type == "BatchNormalization" else { return nil }
            var edit = GraphEdit(removedNodes: [node.identifier])
            try change(&edit, node)
            return FoldProposal(
                edit: edit,
                effect: .absorbed(Absorption(node: "?", input: "v0", output: "b0", clonedByteCount: 0)))
        }
    }

    @Test func `an edit that leaves a value undefined is dropped and reported`() throws {
        let graph = try Self.network(depth: 3).graph()
        let broken = BrokenRule { _, _ in }
        let result = try FoldPipeline(rules: [broken]).run(graph)
        #expect(result.graph.nodes.count == 9)
        #expect(result.report.refusedCount == 3)
        #expect(
            result.report.entries.allSatisfy {
                $0.reason?.hasPrefix("the edit would not leave a valid graph") == true
            })
    }

    @Test func `an edit that changes a value's shape is dropped, the others of its sweep stay`() throws {
        let graph = try Self.network(depth: 4).graph()
        let broken = BrokenRule { edit, node throws(FoldRefusal) in
            let type = node.name == "bn2" ? "GlobalAveragePool" : "Relu"
            do {
                edit.insertedNodes = [
                    try Node(
                        name: node.name, type: type, opset: 17, inputs: [node.inputs[0]],
                        outputs: node.outputs)
                ]
            } catch {
                throw FoldRefusal("\(error)")
            }
        }
        let result = try FoldPipeline(rules: [broken]).run(graph)
        #expect(result.report.entries.map(\.outcome) == [.folded, .folded, .refused, .folded])
        #expect(result.graph.count(of: "BatchNormalization") == 1)
    }

    @Test func `clones of shared weights are bounded`() throws {
        var builder = GraphBuilder()
        builder.input("x", [.known(1), .known(1024)])
        try builder.constant("w", [Double](repeating: 0.5, count: 1 << 20), [1024, 1024])
        for index in 0..<20 {
            try builder.node("MatMul", ["x", "w"], "p\(index)", name: "product\(index)")
            try builder.batchNorm("p\(index)", "y\(index)", channels: 1024, name: "bn\(index)")
            builder.output("y\(index)")
        }
        let report = try FoldPipeline.standard.run(builder.graph()).report
        // 16 clones of 4 MiB are 64 MiB.
        #expect(report.foldedCount == 16)
        #expect(
            report.entry("bn16")?.reason?.hasPrefix("clones of shared weights would take more than") == true)
    }
}
