import Execution
import Folding
import Foundation
import Graph
import ModelFormats
import Tensors
import Testing

/// The fixtures of Tests/Fixtures/dialects: what ONNX Runtime computes is what every way through foldserve computes.
@Suite struct DialectTests {
    static let root =
        URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().path
        + "/Fixtures/dialects/"

    static let cases = ((try? FileManager.default.contentsOfDirectory(atPath: root)) ?? []).sorted().filter {
        FileManager.default.fileExists(atPath: root + $0 + "/model.onnx")
    }

    struct Case {
        let graph: Graph
        let inputs: [String: Tensor]
        let outputs: [String: Tensor]

        init(_ name: String) throws {
            let folder = DialectTests.root + name
            graph = try ONNXFormat().load(path: folder + "/model.onnx")
            var inputs: [String: Tensor] = [:]
            for (index, port) in graph.inputs.enumerated() {
                inputs[port.name] = try NPYFile.read(path: "\(folder)/golden/input_\(index).npy")
            }
            self.inputs = inputs
            var outputs: [String: Tensor] = [:]
            for (index, port) in graph.outputs.enumerated() {
                outputs[port.name] = try NPYFile.read(path: "\(folder)/golden/output_\(index).npy")
            }
            self.outputs = outputs
        }

        /// Records an issue for each output that is not the golden one.
        func check(_ actual: [String: Tensor], _ what: String) {
            for (name, expected) in outputs {
                guard let tensor = actual[name] else {
                    Issue.record("\(what): \(name) is absent")
                    continue
                }
                #expect(
                    tensor.shape == expected.shape && tensor.elementType == expected.elementType,
                    "\(what) \(name)")
                let error = zip(Self.reals(tensor), Self.reals(expected)).map {
                    abs($0 - $1) / max(1, abs($1))
                }.max()
                #expect((error ?? 0) < 1e-5, "\(what) \(name)")
            }
        }

        private static func reals(_ tensor: Tensor) -> [Double] {
            let exact = ExactTensor(tensor)
            return exact.reals ?? (exact.integers ?? []).map(Double.init)
        }
    }

    @Test(arguments: cases) func `computes what ONNX Runtime computes`(_ name: String) throws {
        let given = try Case(name)
        let evaluated = try Evaluator(rounding: .declared)
            .run(given.graph, inputs: given.inputs.mapValues(ExactTensor.init))
        given.check(evaluated.mapValues(\.tensor), "evaluated")
        given.check(try Session(Executable(given.graph), threadCount: 1).run(given.inputs), "unfolded")
        let folded = try FoldPipeline.standard.run(given.graph).graph
        given.check(try Session(Executable(folded), threadCount: 2).run(given.inputs), "folded")
    }

    @Test(arguments: cases) func `writes what it has read and folded`(_ name: String) throws {
        let given = try Case(name)
        let path =
            FileManager.default.temporaryDirectory.path + "/foldserve-\(name)-\(UUID().uuidString).onnx"
        defer { try? FileManager.default.removeItem(atPath: path) }
        for graph in [given.graph, try FoldPipeline.standard.run(given.graph).graph] {
            try ONNXWriter().write(graph, to: path)
            let read = try ONNXFormat().load(path: path)
            given.check(try Session(Executable(read), threadCount: 1).run(given.inputs), "written")
        }
    }

    @Test func `inlines the branch that always runs and folds what is in it`() throws {
        let given = try Case("if_constant")
        #expect(given.graph.nodes.map(\.type) == ["If", "If"])
        let result = try FoldPipeline.standard.run(given.graph)
        #expect(result.graph.nodes.map(\.type) == ["Conv", "Relu", "Relu"])
        #expect(result.report.entries.map(\.outcome) == [.folded])
        #expect(Set(result.graph.nodes.map(\.name)).count == 3)
    }

    @Test(arguments: [
        ("computed_parameters", ["Pad", "Conv"]), ("weight_normalisation", ["Conv"]),
        ("spectral_normalisation", ["Conv"]), ("function_norm", ["Conv", "Relu", "Conv", "Relu"]),
        ("constant_kinds", ["Add"]), ("typed_elements", ["Mul"]),
    ])
    func `what is computed from constants is a plain weight after the fold`(
        _ name: String, _ types: [String]
    ) throws {
        let result = try FoldPipeline.standard.run(Case(name).graph)
        #expect(result.graph.nodes.map(\.type) == types)
        #expect(result.report.entries.allSatisfy { $0.outcome == .folded })
    }

    @Test func `takes the shapes that the nodes compute where the file declares others`() throws {
        let outputs = try Case("wrong_shapes").graph.outputs
        #expect(outputs.map(\.info.description) == ["float32[N,3]", "float32[N,3]", "float32[N,3]"])
    }
}
