import Foundation
import Graph
import ModelFormats
import Tensors
import TestSupport
import Testing

/// Networks as Keras 2 and 3 saved them, with what they answered: see Tests/Fixtures/keras/make.py.
@Suite struct KerasFixtureTests {
    static let folder = Fixtures.root + "/Tests/Fixtures/keras/"
    static let files = ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [])
        .filter { $0.hasSuffix(".h5") || $0.hasSuffix(".keras") }.sorted()
    /// As the client tests have it: times the outputs' spread, where that is more than 1.
    static let tolerance = 1e-5

    @Test(arguments: files) func `answers what Keras answers`(_ file: String) throws {
        let stem = Self.folder + file.prefix { $0 != "." }
        let graph = try FormatCatalog.standard.load(path: Self.folder + file)
        let inputs = try tensors(stem + ".x")
        #expect(inputs.count == graph.inputs.count)
        let given = Dictionary(
            uniqueKeysWithValues: zip(graph.inputs.map(\.name), inputs.map(ExactTensor.init)))
        let outputs = try Evaluator(rounding: .declared).run(graph, inputs: given)
        let expected = try tensors(stem + ".y")
        #expect(expected.count == graph.outputs.count && !expected.isEmpty)
        for (port, tensor) in zip(graph.outputs, expected) {
            let actual = try #require(outputs[port.name])
            #expect(actual.shape == tensor.shape)
            let (reals, wanted) = (try values(actual.tensor), try values(tensor))
            let mean = wanted.reduce(0, +) / Double(wanted.count)
            let spread = (wanted.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(wanted.count))
                .squareRoot()
            let worst = zip(reals, wanted).map { abs($0 - $1) }.max() ?? .infinity
            #expect(worst <= Self.tolerance * max(1, spread), "\(file) \(port.name)")
        }
    }

    @Test(arguments: [("keras215_sequential.h5", "model.keras"), ("keras315_sequential.keras", "model.h5")])
    func `looks into a file and not at its name`(_ file: String, _ name: String) throws {
        let folder = TemporaryFolder()
        let content = try #require(FileManager.default.contents(atPath: Self.folder + file))
        let graph = try FormatCatalog.standard.load(path: folder.write(Array(content), to: name))
        #expect(graph.outputs.count == 1)
    }

    @Test(arguments: ["215", "313", "314", "315"], ["h5", "keras"])
    func `finds files of each version`(_ version: String, _ suffix: String) {
        for name in ["sequential", "functional", "recurrent", "nested", "trained"] {
            #expect(Self.files.contains("keras\(version)_\(name).\(suffix)"))
        }
    }

    private func tensors(_ stem: String) throws -> [Tensor] {
        var tensors: [Tensor] = []
        while FileManager.default.fileExists(atPath: "\(stem)\(tensors.count).npy") {
            tensors.append(try NPYFile.read(path: "\(stem)\(tensors.count).npy"))
        }
        return tensors
    }

    private func values(_ tensor: Tensor) throws -> [Double] {
        try tensor.elements(as: Float.self).map(Double.init)
    }
}

/// Configurations that Keras would not write, or that are not read.
@Suite struct KerasRefusalTests {
    let folder = TemporaryFolder()

    @Test func `names a layer that it does not know`() {
        let reason = refusal(layers: #"{"class_name": "Mystery", "config": {"name": "riddle"}}"#)
        #expect(reason == "layer 'riddle' (Mystery): this layer is not supported")
    }

    @Test func `names the models around a layer that it does not know`() {
        let inner =
            #"{"class_name": "Sequential", "config": {"name": "encoder", "layers": ["#
            + #"{"class_name": "Lambda", "config": {"name": "double"}}]}}"#
        #expect(
            refusal(layers: inner)?.hasPrefix(
                "layer 'encoder/double' (Lambda): a Lambda holds Python's own code")
                == true)
    }

    @Test(arguments: [
        (
            #"{"class_name": "Dense", "config": {"name": "d", "units": 2}}"#,
            "layer 'd' (Dense): the file has no weight 'kernel' for it"
        ),
        (
            #"{"class_name": "ReLU", "config": {"name": "r", "dtype": "float16"}}"#,
            "layer 'r' (ReLU): its dtype float16 is not supported, expected float32"
        ),
        (
            #"{"class_name": "Activation", "config": {"name": "a", "activation": "my_own"}}"#,
            "layer 'a' (Activation): "
        ),
        (
            #"{"class_name": "Flatten", "registered_name": "Shop>Flatten", "config": {"name": "f"}}"#,
            "layer 'f' (Flatten): its class 'Shop>Flatten' is not Keras's own, and its code is not in the file"
        ),
        (#"{"class_name": "Activation", "config": {}}"#, "the configuration has a Activation without a name"),
        (#"{"config": {"name": "a"}}"#, "the configuration has a layer without class_name"),
    ]) func `refuses a layer and says why`(_ layer: String, _ expected: String) {
        #expect(refusal(layers: layer)?.hasPrefix(expected) == true)
    }

    /// Keras 3 overrules the word of a call.
    @Test(arguments: [("2.15.0", "true", true), ("2.15.0", "false", false), ("3.15.1", "true", false)])
    func `refuses a layer that goes on training`(_ version: String, _ training: String, _ isRefused: Bool) {
        let input = #"{"class_name": "InputLayer", "config": {"name": "i", "batch_shape": [null, 4]}}"#
        let calls = #"[[["i", 0, 0, {"training": \#(training)}]]]"#
        let layer = #"{"class_name": "Dropout", "config": {"name": "d"}, "inbound_nodes": \#(calls)}"#
        let ports = #""input_layers": [["i", 0, 0]], "output_layers": [["d", 0, 0]]"#
        let config =
            #"{"class_name": "Functional", "config": {"layers": [\#(input), \#(layer)], \#(ports)}}"#
        let reason =
            "layer 'd' (Dropout): it is called with training=True: its answers would depend on chance or the batch"
        #expect(refusal(config: config, version: version) == (isRefused ? reason : nil))
    }

    @Test func `refuses a model of one's own class`() {
        let reason = refusal(config: #"{"class_name": "MyModel", "config": {}}"#)
        #expect(
            reason?.hasPrefix("the model is a MyModel, expected a Sequential or Functional model") == true)
    }

    @Test func `refuses what is no model`() {
        #expect(refusal(config: "{")?.contains("'config.json' is not readable") == true)
        #expect(refusal(ZipFile([.init("a", "")]).bytes)?.contains("has no 'config.json'") == true)
        let alone = ZipFile([.init("config.json", "{}")])
        #expect(refusal(alone.bytes)?.contains("has no 'model.weights.h5'") == true)
        let damaged = ZipFile([.init("config.json", "{}"), .init("model.weights.h5", "HDF")])
        #expect(refusal(damaged.bytes)?.contains("not an HDF5 file") == true)
    }

    @Test func `refuses an HDF5 file without a model`() throws {
        let error = #expect(throws: ModelError.self) {
            try KerasHDF5Format().load(path: Fixtures.root + "/Tests/Fixtures/hdf5/chunks.h5")
        }
        #expect(error?.description.contains("the file has no model_config: it holds weights alone") == true)
    }

    private func refusal(layers: String) -> String? {
        let input = #"{"class_name": "InputLayer", "config": {"name": "i", "batch_shape": [null, 4]}}"#
        return refusal(
            config:
                #"{"class_name": "Sequential", "config": {"name": "m", "layers": [\#(input), \#(layers)]}}"#)
    }

    /// Weights: a file with one empty group.
    private func refusal(config: String, version: String = "3.15.1") -> String? {
        let path = Fixtures.root + "/Tests/Fixtures/hdf5/refused/group.h5"
        guard let weights = FileManager.default.contents(atPath: path) else { return nil }
        return refusal(
            ZipFile([
                .init("metadata.json", #"{"keras_version": "\#(version)"}"#), .init("config.json", config),
                .init("model.weights.h5", Array(weights)),
            ]).bytes)
    }

    /// What the error says behind the path.
    private func refusal(_ bytes: [UInt8]) -> String? {
        let path = folder.write(bytes, to: "model.keras")
        do {
            _ = try KerasFormat().load(path: path)
            return nil
        } catch {
            return String(error.description.dropFirst(path.count + 2))
        }
    }
}
