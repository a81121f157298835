import Graph
import Tensors
import Testing

import Certification

/// What the certificate says of folded weights, against the products computed here: two Float32 numbers have an exact
/// product in Float64.
@Suite struct WeightProofTests {
    private struct Fold {
        let rows, columns: Int
        var weight, factors, folded: [Float]

        /// Weights of magnitudes between 2⁻⁸ and 1, and each seventh row of zeros.
        init(rows: Int, columns: Int, seed: UInt64) {
            (self.rows, self.columns) = (rows, columns)
            var state = seed
            func next() -> Float {
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                return (Float(state >> 40) * 0x1p-24 + 0x1p-8) * (state & 0x4_0000 == 0 ? 1 : -1)
            }
            factors = (0..<rows).map { _ in next() + 2 }
            weight = (0..<rows * columns).map { $0 / columns % 7 == 6 ? 0 : next() }
            folded = []
            folded = weight.indices.map { Float(product(at: $0)) }
        }

        func product(at index: Int) -> Double { Double(weight[index]) * Double(factors[index / columns]) }

        /// The largest |W′ − rW| over |W′|.
        var relativeError: Double {
            folded.indices.lazy.filter { folded[$0] != 0 }
                .map { abs(Double(folded[$0]) - product(at: $0)) / Double(abs(folded[$0])) }.max() ?? 0
        }

        var absoluteError: Double {
            folded.indices.lazy.map { abs(Double(folded[$0]) - product(at: $0)) }.max() ?? 0
        }

        /// The convolution with a product behind it, and with the folded weights.
        func certificate() throws -> Certificate {
            func tensor(_ values: [Float], _ dimensions: [Int]) throws -> Tensor {
                try Tensor(values, shape: Shape(dimensions))
            }
            func graph(_ constants: [String: Tensor], _ nodes: [Node]) throws -> Graph {
                let dimensions = [1, columns, 2, 2].map(Dimension.known)
                return try Graph(
                    name: "test", opset: 17,
                    inputs: [Graph.Port(name: "x", info: ValueInfo(.float32, dimensions))],
                    outputs: [Graph.Port(name: "y", info: ValueInfo(.float32, nil))], constants: constants,
                    nodes: nodes)
            }
            func node(_ type: String, _ inputs: [String], _ output: String) throws -> Node {
                try Node(name: output, type: type, opset: 17, inputs: inputs, outputs: [output])
            }
            let shape = [rows, columns, 1, 1]
            return try Certifier().certify(
                original: graph(
                    ["w": tensor(weight, shape), "s": tensor(factors, [rows, 1, 1])],
                    [node("Conv", ["x", "w"], "h"), node("Mul", ["h", "s"], "y")]),
                folded: graph(["v": tensor(folded, shape)], [node("Conv", ["x", "v"], "y")]))
        }
    }

    @Test(arguments: [(1, 2), (3, 1), (5, 7), (40, 16), (21, 64), (9, 255)])
    func `the largest errors are found, wherever they are`(_ rows: Int, _ columns: Int) throws {
        for seed in 1..<20 {
            let fold = Fold(rows: rows, columns: columns, seed: UInt64(seed))
            let certificate = try fold.certificate()
            #expect(certificate.isProven)
            let proof = try #require(certificate.pieces.first?.coefficients.first)
            // The bounds hold what Float64 itself may have rounded.
            #expect(proof.relativeError >= fold.relativeError)
            #expect(proof.relativeError <= fold.relativeError + 0x1p-50)
            #expect(proof.absoluteError >= fold.absoluteError)
            #expect(proof.absoluteError <= fold.absoluteError + 0x1p-48)
            #expect(proof.absoluteErrorAtZero == 0)
        }
    }

    @Test(arguments: [7, 16, 64]) func `no wrong weight is overlooked, wherever it is`(_ columns: Int) throws
    {
        let rows = 9
        for place in 0..<rows * columns {
            var fold = Fold(rows: rows, columns: columns, seed: 3)
            fold.folded[place] += max(abs(fold.folded[place]), 0x1p-8) * 0x1p-18
            #expect(try !fold.certificate().isProven, "the wrong weight \(place) was overlooked")
        }
        var fold = Fold(rows: rows, columns: columns, seed: 3)
        fold.folded[rows * columns - 1] = .nan
        #expect(try !fold.certificate().isProven)
    }
}
