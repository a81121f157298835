import Certification
import Graph
import Tensors
import Testing

import Folding

/// Forward folds made wrong on purpose: the comparison, the measurement and the certificate must reject each of them.
@Suite struct FoldForwardMutantTests {
    enum Mutation: CaseIterable {
        /// The weight's outputs are scaled, of which there are as many as inputs.
        case wrongAxis
        /// The bias, or the weights of the channel of ones, without what the shift makes.
        case droppedShift
        /// A convolution pads with 0 where the shift is not.
        case zeroPadding
        /// The features behind Flatten have the channels of the other layout.
        case flattenOrder
        case flippedSign
        /// The shift goes in with the wrong sign.
        case flippedShift
    }

    enum Piece: CaseIterable {
        case convolution, paddedConvolution, convolutionPaddedWithTheMean, gemm, transposedGemm, product,
            flatten

        func mutated(by mutation: Mutation) -> Bool {
            switch mutation {
            case .wrongAxis: self != .flatten
            case .droppedShift, .flippedShift, .flippedSign: true
            case .zeroPadding: self == .paddedConvolution || self == .convolutionPaddedWithTheMean
            case .flattenOrder: self == .flatten
            }
        }

        func network() throws -> ForwardNetwork {
            var network = try ForwardNetwork([2, 4] + (isDense ? [] : [4, 4]))
            switch self {
            case .convolution: try network.convolution("h", "y", weight: [4, 4, 3, 3])
            case .paddedConvolution, .convolutionPaddedWithTheMean:
                if self == .convolutionPaddedWithTheMean {
                    try network.builder.constant("bn.gamma", [2, 4, 8, 16], [4])
                    try network.builder.constant("bn.beta", [-1, -2, -4, -8], [4])
                }
                try network.convolution("h", "y", weight: [4, 4, 3, 3], ["pads": .integers([1, 1, 1, 1])])
            case .gemm, .transposedGemm:
                try network.builder.weight("y.w", [4, 4])
                try network.builder.weight("y.c", [4])
                try network.node(
                    "Gemm", ["h", "y.w", "y.c"], "y", ["transB": .integer(self == .gemm ? 0 : 1)])
            case .product:
                try network.builder.weight("y.w", [4, 4])
                try network.node("MatMul", ["h", "y.w"], "y")
            case .flatten:
                try network.node("Flatten", ["h"], "f")
                try network.builder.weight("y.w", [64, 4])
                try network.builder.weight("y.c", [4])
                try network.node("Gemm", ["f", "y.w", "y.c"], "y")
            }
            network.builder.output("y")
            return network
        }

        private var isDense: Bool { [.gemm, .transposedGemm, .product].contains(self) }

        /// Of the weight.
        var outputAxis: Int {
            switch self {
            case .gemm, .product, .flatten: 1
            default: 0
            }
        }
    }

    /// The rule whose proposals are changed before the pipeline sees them.
    struct MutatedRule: FoldRule {
        let base: any FoldRule
        let mutation: Mutation
        let piece: Piece
        var name: String { base.name }
        var isForward: Bool { base.isForward }

        func proposal(at node: Node, in context: FoldContext) throws(FoldRefusal) -> FoldProposal? {
            guard var proposal = try base.proposal(at: node, in: context),
                name == "batchnorm-forward", let affine = node.operation as? Affine
            else { return try base.proposal(at: node, in: context) }
            for (name, tensor) in proposal.edit.insertedConstants where tensor.elementType.isFloatingPoint {
                let values = mutated(tensor, name, affine, context)
                proposal.edit.insertedConstants[name] =
                    ExactTensor(reals: values, shape: tensor.shape, elementType: tensor.elementType).tensor
            }
            return proposal
        }

        private func mutated(
            _ tensor: Tensor, _ name: String, _ affine: Affine, _ context: FoldContext
        ) -> [Double] {
            var values = tensor.reals
            let old = context.graph.constants["y.w"]!
            if name.hasSuffix("_pad_value") { return mutation == .zeroPadding ? [0] : values }
            if name.hasSuffix("_bias") {
                let own = context.graph.constants["y.c"]?.reals ?? [Double](repeating: 0, count: 4)
                switch mutation {
                case .droppedShift: return own
                case .flippedShift: return zip(own, values).map { 2 * $0 - $1 }
                default: return values
                }
            }
            let hasOnes = tensor.shape != old.shape
            switch mutation {
            case .wrongAxis:
                guard !hasOnes else {
                    // Two input channels change places with their scales.
                    return values.indices.map { index in
                        let channel = index / 9 % 5
                        return channel < 4 ? values[index + (channel % 2 == 0 ? 9 : -9)] : values[index]
                    }
                }
                let stride = old.shape.strides[piece.outputAxis]
                return old.reals.enumerated().map { $1 * affine.scale[$0 / stride % 4] }
            case .flattenOrder:
                return old.reals.enumerated().map { $1 * affine.scale[$0 / 4 % 4] }
            case .flippedSign: return values.map { -$0 }
            case .droppedShift, .flippedShift:
                for index in values.indices where hasOnes && index / 9 % 5 == 4 {
                    values[index] *= mutation == .droppedShift ? 0 : -1
                }
                return values
            case .zeroPadding: return values
            }
        }
    }

    @Test(arguments: Mutation.allCases)
    func `every check rejects`(_ mutation: Mutation) throws {
        for piece in Piece.allCases where piece.mutated(by: mutation) {
            let graph = try piece.network().builder.graph()
            let rules = FoldPipeline.standard.rules.map {
                MutatedRule(base: $0, mutation: mutation, piece: piece)
            }
            let wrong = try FoldPipeline(rules: rules).run(graph)
            #expect(wrong.report.foldedCount == 1)
            #expect(try Comparison(graph, wrong.graph).error > 1e-5, "\(piece)")
            #expect(try !Certifier().certify(original: graph, folded: wrong.graph).isProven, "\(piece)")
            let report = FoldMeasurement.measure(original: graph, result: wrong)
            #expect((report.entries[0].measuredRelativeError ?? 0) > 1e-5, "\(piece)")
            let right = try FoldPipeline.standard.run(graph)
            #expect(try Comparison(graph, right.graph).error < 1e-12)
            #expect(try Certifier().certify(original: graph, folded: right.graph).isProven)
        }
    }
}
