import Certification
import Graph
import Tensors
import Testing

import Folding

/// Backward steps made wrong on purpose: the comparison that the other tests trust must reject each of them.
@Suite struct FoldBackwardMutantTests {
    /// A step in the place of the right one.
    struct Mutant: BackwardStep, CustomTestStringConvertible {
        let name: String
        let types: [String]
        /// What the step is tried on, which the right one folds or refuses.
        let network: @Sendable () throws -> BackwardNetwork
        let body: @Sendable (BackwardSite, inout BackwardPlan) throws(FoldRefusal) -> Void

        var testDescription: String { name }

        func take(_ site: BackwardSite, in plan: inout BackwardPlan) throws(FoldRefusal) {
            try body(site, &plan)
        }
    }

    /// Each input gets what `affine` says.
    private static func each(
        _ site: BackwardSite, _ plan: inout BackwardPlan, _ affine: (Int) throws(FoldRefusal) -> Affine
    ) throws(FoldRefusal) {
        var inputs = site.node.inputs
        for index in inputs.indices { inputs[index] = try plan.operand(try affine(index), index, at: site) }
        try plan.replace(site, inputs: inputs)
    }

    private static func pass(_ site: BackwardSite, _ plan: inout BackwardPlan) throws(FoldRefusal) {
        try plan.pass(site.affine, at: site)
    }

    static let mutants = [
        Mutant(name: "branches exchanged", types: ["Concat"]) {
            try BackwardThroughConcatTests.network([3, 3])
        } body: { site, plan throws(FoldRefusal) in
            try each(site, &plan) { site.affine.selecting($0 == 0 ? 3..<6 : 0..<3) }
        },
        Mutant(name: "the first branch's part in both", types: ["Concat"]) {
            try BackwardThroughConcatTests.network([3, 3])
        } body: { site, plan throws(FoldRefusal) in
            try each(site, &plan) { _ in site.affine.selecting(0..<3) }
        },
        Mutant(name: "no shift on a sum", types: ["Add"]) {
            try BackwardThroughSumTests.network("Add")
        } body: { site, plan throws(FoldRefusal) in
            try each(site, &plan) { _ in site.affine.withoutShift }
        },
        Mutant(name: "the shift into both", types: ["Add"]) {
            try BackwardThroughSumTests.network("Add")
        } body: { site, plan throws(FoldRefusal) in
            try each(site, &plan) { _ in site.affine }
        },
        Mutant(name: "the scale into one", types: ["Add"]) {
            try BackwardThroughSumTests.network("Add")
        } body: { site, plan throws(FoldRefusal) in
            try pass(site, &plan)
        },
        Mutant(name: "a subtracted shift with its own sign", types: ["Sub"]) {
            try BackwardThroughSumTests.network("Sub")
        } body: { site, plan throws(FoldRefusal) in
            try each(site, &plan) { $0 == 0 ? site.affine.withoutShift : site.affine }
        },
        Mutant(name: "the scale into both factors", types: ["Mul"]) {
            var network = BackwardNetwork()
            try network.convolution("h", [2, 3, 3, 3])
            try network.convolution("g", [2, 3, 3, 3])
            try network.node("Mul", ["h", "g"], "t")
            try network.normalize("t", channels: 3, shifts: false)
            return network
        } body: { site, plan throws(FoldRefusal) in
            try each(site, &plan) { _ in site.affine }
        },
        Mutant(name: "a shift through a factor", types: ["Mul"]) {
            try BackwardThroughProductTests.network(shifts: true)
        } body: { site, plan throws(FoldRefusal) in
            try pass(site, &plan)
        },
        Mutant(name: "a negative scale through an activation", types: ["Relu"]) {
            try BackwardThroughActivationTests.network("Relu", scales: .mixed, shifts: false)
        } body: { site, plan throws(FoldRefusal) in
            try pass(site, &plan)
        },
        Mutant(name: "a shift through an activation", types: ["LeakyRelu"]) {
            try BackwardThroughActivationTests.network("LeakyRelu", scales: .positive, shifts: true)
        } body: { site, plan throws(FoldRefusal) in
            try pass(site, &plan)
        },
        Mutant(name: "bounds that stay", types: ["Clip"]) {
            try BackwardThroughActivationTests.network(
                "Clip", bounds: [-0.25, 0.5], scales: .positive, shifts: false)
        } body: { site, plan throws(FoldRefusal) in
            try pass(site, &plan)
        },
        Mutant(name: "a negative scale through a maximum", types: ["MaxPool"]) {
            try BackwardThroughPoolTests.network(
                "MaxPool", ["kernel_shape": .integers([2, 2])], scales: .mixed)
        } body: { site, plan throws(FoldRefusal) in
            try pass(site, &plan)
        },
        Mutant(name: "a shift through counted pads", types: ["AveragePool"]) {
            try BackwardThroughPoolTests.network(
                "AveragePool",
                [
                    "kernel_shape": .integers([2, 2]), "pads": .integers([1, 1, 0, 0]),
                    "count_include_pad": .integer(1),
                ])
        } body: { site, plan throws(FoldRefusal) in
            try pass(site, &plan)
        },
        Mutant(name: "a pad value that stays", types: ["Pad"]) {
            try BackwardThroughPadTests.network([0, 0, 1, 0, 0, 0, 0, 0])
        } body: { site, plan throws(FoldRefusal) in
            try pass(site, &plan)
        },
        Mutant(name: "the channels beside those of a slice", types: ["Slice"]) {
            var network = BackwardNetwork()
            try network.convolution("h", [1, 5, 3, 3])
            let starts = network.integers("starts", [1])
            let ends = network.integers("ends", [3])
            try network.node("Slice", ["h", starts, ends, network.integers("axes", [1])], "t")
            try network.normalize("t", channels: 2)
            return network
        } body: { site, plan throws(FoldRefusal) in
            guard let affine = site.affine.placed(at: [2, 3], of: 5, axis: 1) else { return }
            try plan.pass(affine, at: site)
        },
        Mutant(name: "the other part of a split", types: ["Split"]) {
            try BackwardThroughSplitTests.network()
        } body: { site, plan throws(FoldRefusal) in
            guard let affine = site.affine.placed(at: [0, 1, 2], of: 6, axis: 1) else { return }
            try plan.pass(affine, at: site)
        },
        Mutant(name: "both parts of a split", types: ["Split"]) {
            var network = try BackwardThroughSplitTests.network()
            network.builder.output("first")
            return network
        } body: { site, plan throws(FoldRefusal) in
            try plan.pass(site.affine.selecting([0, 1, 2, 0, 1, 2]), at: site)
        },
        Mutant(name: "blocks of channels the other way", types: ["DepthToSpace"]) {
            var network = BackwardNetwork()
            try network.convolution("h", [1, 12, 2, 2])
            try network.node("DepthToSpace", ["h"], "t", ["blocksize": .integer(2)])
            try network.normalize("t", channels: 3)
            return network
        } body: { site, plan throws(FoldRefusal) in
            try plan.pass(site.affine.selecting((0..<12).map { $0 / 4 }), at: site)
        },
        Mutant(name: "a transpose that keeps the axis", types: ["Transpose"]) {
            var network = BackwardNetwork()
            try network.convolution("h", [1, 3, 3, 3])
            try network.node("Transpose", ["h"], "t", ["perm": .integers([0, 2, 1, 3])])
            try network.normalize("t", channels: 3)
            return network
        } body: { site, plan throws(FoldRefusal) in
            try pass(site, &plan)
        },
        Mutant(name: "features that are taken in turns", types: ["Flatten"]) {
            var network = BackwardNetwork()
            try network.convolution("h", [2, 3, 1, 3])
            try network.node("Flatten", ["h"], "t")
            try network.normalize("t", channels: 9)
            return network
        } body: { site, plan throws(FoldRefusal) in
            try plan.pass(site.affine.selecting([0, 3, 6]), at: site)
        },
        Mutant(name: "resized channels", types: ["Resize"]) {
            try BackwardThroughResizeTests.network(
                scales: [1, 1.25, 1, 1], ["mode": .string("linear")])
        } body: { site, plan throws(FoldRefusal) in
            try pass(site, &plan)
        },
    ]

    @Test(arguments: mutants)
    func `the comparison and the certificate reject`(_ mutant: Mutant) throws {
        let graph = try mutant.network().builder.graph()
        let rules = BackwardNetwork.pipeline.rules.map { rule -> any FoldRule in
            rule is FoldBackward ? FoldBackward(steps: [mutant] + FoldBackward.standardSteps) : rule
        }
        let wrong = try FoldPipeline(rules: rules).run(graph)
        #expect(wrong.report.foldedCount == 1)
        #expect(try Comparison(graph, wrong.graph).error > 1e-3)
        #expect(try !Certifier().certify(original: graph, folded: wrong.graph).isProven)
        let right = try BackwardNetwork.pipeline.run(graph)
        #expect(try Comparison(graph, right.graph).error < 1e-12)
    }
}
