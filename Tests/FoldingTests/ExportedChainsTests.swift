import Folding
import Graph
import ModelFormats
import Tensors
import Testing

/// Networks whose normalizations an exporter spells as arithmetic, against ONNX Runtime.
@Suite struct ExportedChainsTests {
    struct Export: CustomTestStringConvertible {
        let name: String
        var chainCount: Int
        var normalizationCount = 0
        /// The operators of the chains that stay, because nothing around them can take them.
        var staying: [[String]] = []
        var tolerance = 1e-5
        var testDescription: String { name }
    }

    @Test(arguments: [
        Export(name: "keras_image", chainCount: 5),
        Export(name: "keras_sequence", chainCount: 2),
        // The dense layer is in float32, its bias behind a Cast to float16: the rounding between them stays.
        Export(
            name: "keras_mixed", chainCount: 6, staying: [["Sub", "Mul", "Add"]], tolerance: 1e-2),
        Export(name: "tf2onnx_image", chainCount: 4),
        Export(name: "tf2onnx_sequence", chainCount: 2),
        Export(name: "torchscript", chainCount: 2, normalizationCount: 3),
        Export(name: "dynamo", chainCount: 2, normalizationCount: 3),
    ])
    func `folds every chain beside a layer and keeps the output`(_ export: Export) throws {
        let path = FoldedNetworksTests.root + "/Tests/Fixtures/chains/" + export.name
        let graph = try ONNXFormat().load(path: path + ".onnx")
        let result = try FoldPipeline.standard.run(graph)
        let report = FoldMeasurement.measure(original: graph, result: result)
        #expect(report.foldedCount == export.normalizationCount, "\(report.entries)")
        #expect(report.entries.count == export.normalizationCount)
        #expect(report.foldedChainCount == export.chainCount, "\(report.chains)")
        #expect(
            report.chains.filter { $0.outcome != .folded }.compactMap(\.chain?.operators) == export.staying)
        #expect(result.graph.nodes.allSatisfy { $0.type != "Affine" && $0.type != "BatchNormalization" })
        for chain in report.chains where chain.outcome == .folded {
            #expect((chain.measuredRelativeError ?? 0) < export.tolerance, "\(chain)")
        }
        let given = [graph.inputs[0].name: ExactTensor(try NPYFile.read(path: path + ".x.npy"))]
        let expected = ExactTensor(try NPYFile.read(path: path + ".y.npy"))
        for graph in [graph, result.graph] {
            let outputs = try Evaluator(rounding: .declared).run(graph, inputs: given)
            let output = try #require(outputs[graph.outputs[0].name])
            #expect(output.shape == expected.shape)
            let magnitude = expected.reals?.reduce(1) { max($0, abs($1)) } ?? 1
            for (one, other) in zip(output.reals ?? [], expected.reals ?? []) {
                #expect(abs(one - other) / magnitude < export.tolerance)
            }
        }
    }
}
