import Foundation
import Graph
import ModelFormats
import Tensors
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

    @Test func `finds files of both versions`() {
        for name in [
            "keras2_trained.h5", "keras2_trained.keras", "keras3_trained.h5", "keras3_trained.keras",
        ] {
            #expect(Self.files.contains(name))
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
        #expect(refusal(layers: inner) == "layer 'encoder/double' (Lambda): this layer is not supported")
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
        (#"{"class_name": "Activation", "config": {}}"#, "the configuration has a Activation without a name"),
        (#"{"config": {"name": "a"}}"#, "the configuration has a layer without class_name"),
    ]) func `refuses a layer and says why`(_ layer: String, _ expected: String) {
        #expect(refusal(layers: layer)?.hasPrefix(expected) == true)
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
    private func refusal(config: String) -> String? {
        let path = Fixtures.root + "/Tests/Fixtures/hdf5/refused/group.h5"
        guard let weights = FileManager.default.contents(atPath: path) else { return nil }
        return refusal(
            ZipFile([.init("config.json", config), .init("model.weights.h5", Array(weights))]).bytes)
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
