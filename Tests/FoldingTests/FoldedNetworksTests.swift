import Folding
import Graph
import ModelFormats
import Testing

/// Whole networks, as exporters write them.
@Suite struct FoldedNetworksTests {
    struct Network: CustomTestStringConvertible {
        let path: String
        let normalizationCount: Int
        /// The nodes that stay, by the part of their name that tells them apart.
        var staying: Set<String> = []
        var testDescription: String { path }
    }

    static let root = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(3)
        .joined(separator: "/")

    @Test(arguments: [
        Network(path: "models/cancer_mlp/1/model.onnx", normalizationCount: 3),
        Network(path: "models/digits_cnn/1/model.onnx", normalizationCount: 4),
        Network(path: "models/digits_cnn/2/model.pt2", normalizationCount: 4),
        Network(path: "models/digits_dwsep/1/model.onnx", normalizationCount: 17),
        Network(path: "Tests/Fixtures/networks/unet/1/model.onnx", normalizationCount: 13),
        Network(path: "Tests/Fixtures/networks/audio1d/1/model.onnx", normalizationCount: 9),
        Network(path: "Tests/Fixtures/networks/volume3d/1/model.onnx", normalizationCount: 5),
        Network(
            path: "Tests/Fixtures/networks/preact/1/model.onnx", normalizationCount: 13,
            staying: [
                "average_norm", "fanout_norm", "shared_norm_a", "shared_norm_b",
                "tapped_norm",
            ]),
    ])
    func `keeps its function and folds what a rule can`(_ network: Network) throws {
        let graph = try FormatCatalog.standard.load(path: Self.root + "/" + network.path)
        let result = try FoldPipeline.standard.run(graph)
        let report = FoldMeasurement.measure(original: graph, result: result)
        #expect(report.entries.count == network.normalizationCount)
        for entry in report.entries {
            let stays = network.staying.contains { entry.batchNorm.contains("/" + $0 + "/") }
            #expect(
                entry.outcome == (stays ? .refused : .folded), "\(entry.batchNorm): \(entry.reason ?? "")")
            #expect((entry.reason != nil) == stays)
            #expect(stays || (entry.measuredRelativeError ?? 1) < 1e-6, "\(entry)")
        }
        #expect(try Comparison(graph, result.graph).error < 1e-5)
    }
}
