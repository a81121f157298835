import Execution
import FoundationEssentials
import Glibc
import ModelFormats
import ModelServing
import Tensors
import TestSupport
import Testing
import Threads

/// Repositories that change while they are served.
@Suite struct RepositoryChangeTests {
    private let folder = TemporaryFolder()

    private func polled() throws -> ModelRepository {
        var configuration = RepositoryConfiguration()
        configuration.mode = .poll
        configuration.pollSeconds = 0.02
        let repository = try TestModels.repository(folder, configuration)
        repository.start()
        return repository
    }

    private func explicit(_ modelsAtStart: [String] = []) throws -> ModelRepository {
        var configuration = RepositoryConfiguration()
        configuration.mode = .explicit
        configuration.modelsAtStart = modelsAtStart
        let repository = try TestModels.repository(folder, configuration)
        repository.start()
        repository.waitUntilLoaded()
        return repository
    }

    /// Whether something becomes true within a minute.
    private func comes(_ condition: () throws -> Bool) rethrows -> Bool {
        for _ in 0..<12_000 {
            if try condition() { return true }
            usleep(5000)
        }
        return false
    }

    /// The factor that the model applies: the file's text.
    private func scale(_ model: LoadedModel) throws -> Float {
        let outputs = try model.sessions.run(["x": TestModels.tensor([1, 2], [1, 2])])
        return try #require(outputs["y"]).elements(as: Float.self)[0] - 1
    }

    private func served(_ repository: ModelRepository, _ name: String, _ version: String? = nil) throws
        -> Float
    {
        try scale(repository.model(named: name).resolve(version))
    }

    @discardableResult
    private func control(
        _ repository: ModelRepository, load name: String? = nil, unload other: String? = nil
    ) throws -> RepositoryControlError? {
        let outcome = Lock<RepositoryControlError??>(.none)
        let finish = { @Sendable (error: RepositoryControlError?) in
            outcome.withLock { $0 = .some(error) }
            outcome.notifyAll()
        }
        if let name { try repository.load(name, completion: finish) }
        if let other { try repository.unload(other, completion: finish) }
        return outcome.wait { $0 }
    }

    // MARK: - Polling

    @Test func `follows new models, new versions and removed ones`() throws {
        folder.write("2", to: "m/1/model.onnx")
        let repository = try polled()
        defer { repository.stop() }
        #expect(comes { repository.isReady && !repository.models.isEmpty })
        folder.write("3", to: "m/2/model.onnx")
        folder.write("5", to: "n/1/model.onnx")
        #expect(try comes { try served(repository, "m") == 3 && repository.models.count == 2 })
        #expect(comes { (try? served(repository, "n")) == 5 })
        #expect(try served(repository, "m", "1") == 2)
        folder.remove("m/1")
        #expect(try comes { try repository.model(named: "m").versions == ["2"] })
        folder.remove("n")
        #expect(comes { repository.models.map(\.name) == ["m"] })
        #expect(throws: ServingError.unknownModel(name: "n")) { try repository.model(named: "n") }
    }

    @Test func `a changed file takes its version's place, and the old one goes when its last request has`()
        throws
    {
        folder.write("2", to: "m/1/model.onnx")
        let repository = try polled()
        defer { repository.stop() }
        #expect(comes { repository.isReady })
        var old: LoadedModel? = try repository.model(named: "m").resolve(nil)
        weak let oldWeakly = old
        folder.replace("3", at: "m/1/model.onnx")
        #expect(try comes { try served(repository, "m") == 3 })
        #expect(try scale(#require(old)) == 2)
        old = nil
        #expect(comes { oldWeakly == nil })
    }

    @Test(arguments: ["?", ""])
    func `what fails keeps what is served, says why and does not make the server unready`(_ text: String)
        throws
    {
        folder.write("2", to: "m/1/model.onnx")
        let repository = try polled()
        defer { repository.stop() }
        #expect(comes { repository.isReady })
        let model = try repository.model(named: "m")
        folder.replace(text, at: "m/1/model.onnx")
        #expect(comes { model.reloadProblem(of: "1") != nil })
        #expect(model.reloadProblem(of: "1")?.hasSuffix("damaged beyond repair") == true)
        #expect(model.state(of: "1")?.name == "READY" && repository.isReady)
        #expect(try served(repository, "m") == 2)
        folder.write(text, to: "m/2/model.onnx")
        #expect(comes { model.state(of: "2")?.reason != nil })
        #expect(try served(repository, "m") == 2 && repository.isReady)
        folder.replace("7", at: "m/1/model.onnx")
        #expect(try comes { try served(repository, "m", "1") == 7 })
        #expect(model.reloadProblem(of: "1") == nil)
    }

    @Test func `a failure is tried again only when files change`() throws {
        folder.write("?", to: "m/1/model.onnx")
        let repository = try polled()
        defer { repository.stop() }
        let counted = { () -> String in
            String(decoding: MetricsRegistry([repository.loadCounts]).exposition(), as: UTF8.self)
        }
        #expect(comes { counted().contains("outcome=\"refused\"} 1") })
        usleep(300_000)
        #expect(counted().contains("foldserve_model_loads_total{model=\"m\",outcome=\"refused\"} 1\n"))
        folder.replace("2", at: "m/1/model.onnx")
        #expect(comes { repository.isReady })
        #expect(counted().contains("foldserve_model_loads_total{model=\"m\",outcome=\"ready\"} 1\n"))
    }

    @Test func `files that change while they are read are not served, whatever was made of them`() throws {
        folder.write("4", to: "m/1/model.onnx")
        let writes = Lock(1)
        let loader = ModelLoader(
            fileNames: ["model.onnx"], workers: WorkerPool(threadCount: 1), clock: .system
        ) { (folder) throws(ModelError) in
            // Somebody writes while the first reader reads.
            let isFirst = writes.withLock { count in
                defer { count -= 1 }
                return count > 0
            }
            if isFirst {
                let file = fopen(folder + "/model.onnx", "a")
                fputs("2", file)
                fclose(file)
            }
            return try TestModels.read(folder)
        }
        var configuration = RepositoryConfiguration()
        for mode in [RepositoryConfiguration.Mode.static, .poll] {
            configuration.mode = mode
            configuration.pollSeconds = 0.02
            writes.withLock { $0 = 1 }
            folder.replace("4", at: "m/1/model.onnx")
            let repository = try TestModels.repository(folder, configuration, loader: loader)
            repository.start()
            defer { repository.stop() }
            let model = try repository.model(named: "m")
            if mode == .static {
                #expect(comes { model.state(of: "1")?.reason?.hasPrefix("the files changed while") == true })
            } else {
                #expect(try comes { repository.isReady ? try served(repository, "m") == 42 : false })
            }
        }
    }

    @Test func `a new description is a new model, and a policy retires what it does not choose`() throws {
        for version in 1...3 { folder.write("\(version)", to: "m/\(version)/model.onnx") }
        let repository = try polled()
        defer { repository.stop() }
        #expect(comes { repository.isReady })
        let model = try repository.model(named: "m")
        #expect(model.versions == ["1", "2", "3"])
        folder.replace(#"{"labels": ["a"], "versionPolicy": {"latest": 1}}"#, at: "m/model.json")
        #expect(comes { model.versions == ["3"] })
        #expect(model.loaded.first?.description.labels(of: "y") == ["a"])
        // The next one comes before the last one goes.
        folder.write("?", to: "m/4/model.onnx")
        #expect(comes { model.state(of: "4")?.reason != nil })
        #expect(try served(repository, "m") == 3)
        folder.replace("4", at: "m/4/model.onnx")
        #expect(comes { model.versions == ["4"] })
        #expect(try served(repository, "m") == 4)
        folder.replace(#"{"versionPolicy": {"specific": [1, 3, 9]}}"#, at: "m/model.json")
        #expect(comes { model.loaded.map(\.version) == ["1", "3"] && model.versions == ["1", "3"] })
        folder.replace(#"{"versionPolicy": 1}"#, at: "m/model.json")
        #expect(comes { model.reloadProblem(of: "3")?.contains("'versionPolicy' must be") == true })
        #expect(try served(repository, "m") == 3)
    }

    @Test func `a folder that cannot be read changes nothing`() throws {
        folder.write("2", to: "m/1/model.onnx")
        let repository = try polled()
        defer { repository.stop() }
        #expect(comes { repository.isReady })
        rename(folder.path, folder.path + "-away")
        usleep(200_000)
        #expect(try served(repository, "m") == 2)
        rename(folder.path + "-away", folder.path)
    }

    // MARK: - Explicit loading

    @Test func `loads and unloads on request, and tells what is not there`() throws {
        folder.write("2", to: "m/1/model.onnx")
        folder.write("3", to: "n/1/model.onnx")
        let repository = try explicit(["n"])
        #expect(repository.isReady)
        let model = try repository.model(named: "m")
        #expect(model.state(of: "1")?.reason == "unloaded")
        #expect(try served(repository, "n") == 3)
        #expect(try control(repository, load: "m") == nil)
        #expect(try served(repository, "m") == 2)
        weak let loaded = try model.resolve(nil)
        #expect(try control(repository, unload: "m") == nil)
        #expect(model.state(of: "1")?.reason == "unloaded" && model.state(of: "1")?.name == "UNAVAILABLE")
        #expect(loaded == nil && repository.isReady)
        #expect(try control(repository, load: "z") == .unknownModel(name: "z"))
        #expect(try control(repository, unload: "z") == .unknownModel(name: "z"))
        folder.write("9", to: "late/1/model.onnx")
        #expect(try control(repository, load: "late") == nil)
        #expect(try served(repository, "late") == 9)
    }

    @Test func `loading again takes what changed, and a failure keeps the old one`() throws {
        folder.write("2", to: "m/1/model.onnx")
        let repository = try explicit(["*"])
        let before = try repository.model(named: "m").resolve(nil)
        #expect(try control(repository, load: "m") == nil)
        #expect(try repository.model(named: "m").resolve(nil) === before)
        folder.replace("?", at: "m/1/model.onnx")
        let failure = try #require(try control(repository, load: "m"))
        #expect(failure.status == 400)
        #expect(failure.description.hasPrefix("model 'm' is not loaded: version 1: "))
        #expect(try served(repository, "m") == 2)
        folder.replace("5", at: "m/1/model.onnx")
        #expect(try control(repository, load: "m") == nil)
        #expect(try served(repository, "m") == 5)
    }

    @Test(arguments: [
        "..", ".", "", "/", "/etc", "../secret", "m/../../secret", "m/1", "./m", "m/", ".hidden", "m\u{0}",
        "m\u{0}/../x", "link", "__pycache__", "file",
    ])
    func `no name leads to anything that is no model of the repository`(_ name: String) throws {
        let outside = TemporaryFolder()
        outside.write("2", to: "1/model.onnx")
        folder.write("2", to: "m/1/model.onnx")
        folder.write("2", to: ".hidden/1/model.onnx")
        folder.write("2", to: "__pycache__/1/model.onnx")
        folder.write("2", to: "file")
        symlink(outside.path, folder.path + "/link")
        let repository = try explicit()
        #expect(try control(repository, load: name) != nil)
        #expect(repository.models.allSatisfy { $0.loaded.isEmpty })
    }

    @Test func `requests are taken in explicit mode alone`() throws {
        folder.write("2", to: "m/1/model.onnx")
        let repository = try TestModels.loaded(folder)
        #expect(throws: RepositoryControlError.mode(.static)) { try repository.load("m") { _ in } }
        #expect(throws: RepositoryControlError.mode(.static)) { try repository.unload("m") { _ in } }
    }

    @Test func `requests past the bound and at the end are refused, and each gets one answer`() throws {
        folder.write("2", to: "m/1/model.onnx")
        var configuration = RepositoryConfiguration()
        configuration.mode = .explicit
        // Not started: nothing takes requests away.
        let repository = try TestModels.repository(folder, configuration)
        let answers = Lock(0)
        for _ in 0..<ModelRepository.maximumRequestCount {
            try repository.load("m") { error in
                #expect(error == .stopping)
                answers.withLock { $0 += 1 }
            }
        }
        #expect(throws: RepositoryControlError.busy) { try repository.load("m") { _ in } }
        repository.stop()
        #expect(answers.withLock { $0 } == ModelRepository.maximumRequestCount)
        #expect(throws: RepositoryControlError.stopping) { try repository.load("m") { _ in } }
    }

    // MARK: - Symbolic links

    @Test func `links inside the repository serve, links out of it do not`() throws {
        let outside = TemporaryFolder()
        outside.write("2", to: "model.onnx")
        folder.write("2", to: "blobs/model")
        folder.makeFolder("inside/1")
        folder.makeFolder("outside/1")
        symlink("../../blobs/model", folder.path + "/inside/1/model.onnx")
        symlink(outside.path + "/model.onnx", folder.path + "/outside/1/model.onnx")
        symlink(outside.path, folder.path + "/outside/2")
        let repository = try TestModels.loaded(folder)
        #expect(try served(repository, "inside") == 2)
        let model = try repository.model(named: "outside")
        for version in ["1", "2"] {
            #expect(model.state(of: version)?.reason?.contains("leads out of the model repository") == true)
        }
    }
}
