import ModelServing
import Tensors
import TestSupport
import Testing

@Suite struct ModelRepositoryTests {
    private let folder = TemporaryFolder()

    @Test func `serves every version of a good model and takes the highest for none`() throws {
        folder.write("2", to: "good/1/model.onnx")
        folder.write("3", to: "good/10/model.onnx")
        folder.write("3", to: "good/9/model.onnx")
        let repository = try TestModels.loaded(folder)
        let model = try repository.model(named: "good")
        #expect(model.versions == ["1", "9", "10"])
        #expect(model.loaded.map(\.version) == ["1", "9", "10"])
        #expect(try model.resolve(nil).version == "10")
        #expect(try model.resolve("1").version == "1")
        #expect(model.isReady && repository.isReady)
    }

    @Test func `is neither ready nor refused before loading has begun`() throws {
        folder.write("2", to: "good/1/model.onnx")
        let repository = try TestModels.repository(folder)
        #expect(!repository.isReady)
        #expect(throws: ServingError.notReady(model: "good", version: nil, reason: "it is loading")) {
            try repository.model(named: "good").resolve(nil)
        }
        #expect(throws: ServingError.notReady(model: "good", version: "1", reason: "it is loading")) {
            try repository.model(named: "good").resolve("1")
        }
    }

    @Test func `keeps a damaged model with its reason on one line and serves the others`() throws {
        folder.write("2", to: "good/1/model.onnx")
        folder.write("?", to: "damaged/1/model.onnx")
        let repository = try TestModels.loaded(folder)
        #expect(!repository.isReady)
        #expect(try repository.model(named: "good").isReady)
        let damaged = try repository.model(named: "damaged")
        let reason = try #require(damaged.state(of: "1")?.reason)
        #expect(reason.hasSuffix("damaged/1/model.onnx: damaged beyond repair"))
        #expect(damaged.state(of: "1")?.name == "UNAVAILABLE")
        #expect(repository.blockingReason?.contains("beyond repair") == true)
    }

    @Test func `falls back to an older version when the newest is damaged, and is not ready`() throws {
        folder.write("2", to: "m/1/model.onnx")
        folder.write("?", to: "m/2/model.onnx")
        let repository = try TestModels.loaded(folder)
        #expect(try repository.model(named: "m").resolve(nil).version == "1")
        #expect(!repository.isReady)
    }

    @Test func `names a model without any version`() throws {
        folder.makeFolder("empty")
        let repository = try TestModels.loaded(folder)
        let model = try repository.model(named: "empty")
        #expect(!model.isReady)
        #expect(
            model.blockingReason.hasSuffix("empty: no version; expected a file such as 1/model.onnx in it"))
    }

    @Test func `names a version whose folder holds no model`() throws {
        folder.makeFolder("m/1")
        let model = try TestModels.loaded(folder).model(named: "m")
        #expect(model.state(of: "1")?.reason != nil)
    }

    @Test(arguments: ["0", "01", "v1", "1a", "+1", "99999999999999999999"])
    func `refuses a folder that holds a model under no version's name`(_ name: String) throws {
        folder.write("2", to: "m/1/model.onnx")
        folder.write("2", to: "m/\(name)/model.onnx")
        let repository = try TestModels.loaded(folder)
        let model = try repository.model(named: "m")
        #expect(model.loaded.map(\.version) == ["1"])
        #expect(model.problem == "folder '\(name)' holds a model but is no version: expected 1, 2, 3, …")
        #expect(!repository.isReady)
    }

    @Test func `ignores files, hidden entries and folders without a model`() throws {
        folder.write("2", to: "m/1/model.onnx")
        folder.write("", to: "m/train.py")
        folder.write("", to: "m/data/rows.csv")
        folder.write("2", to: "m/.2/model.onnx")
        folder.write("", to: "digits.py")
        folder.write("", to: ".git/config")
        folder.write("", to: "__pycache__/digits.pyc")
        let repository = try TestModels.loaded(folder)
        #expect(repository.models.map(\.name) == ["m"])
        #expect(repository.isReady)
    }

    @Test func `an empty repository is ready and a missing one is an error`() throws {
        #expect(try TestModels.loaded(folder).isReady)
        #expect(throws: RepositoryError.self) {
            try ModelRepository(
                folder: folder.path + "/missing", loader: TestModels.loader, logger: .init(label: "test"))
        }
    }

    @Test func `a bad description keeps all versions from being served`() throws {
        folder.write("2", to: "m/1/model.onnx")
        folder.write("{\"lables\": []}", to: "m/model.json")
        let model = try TestModels.loaded(folder).model(named: "m")
        #expect(
            model.state(of: "1")?.reason?.hasSuffix("unknown key 'lables'; did you mean 'labels'?") == true)
    }

    @Test func `unknown names are told apart from versions`() throws {
        folder.write("2", to: "m/1/model.onnx")
        let repository = try TestModels.loaded(folder)
        let model = #expect(throws: ServingError.self) { try repository.model(named: "n") }
        #expect(model?.description == "Request for unknown model: 'n' is not found")
        let version = #expect(throws: ServingError.self) { try repository.model(named: "m").resolve("7") }
        #expect(version?.description == "Request for unknown model: 'm' version 7 is not found")
        #expect(version?.status == 404)
    }
}
