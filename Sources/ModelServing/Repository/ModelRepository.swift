import Logging
import Threads

/// The models of a folder, `<name>/<version>/<file>`, each with the state it is in.
///
/// The folder is read once; `start` loads the models on a thread of its own. A model that cannot be loaded is kept with
/// its reason, and the others are served.
package final class ModelRepository: Sendable {
    /// The most models, and the most versions of a model.
    package static let maximumModelCount = 10_000

    /// Sorted by name.
    package let models: [ServedModel]
    /// Numbers for the names of all models that ever were in the folder.
    package let names: NameIndex
    private let byName: [String: ServedModel]
    private let loader: ModelLoader
    private let logger: Logger
    private let loading = Lock<Thread?>(nil)

    /// Reads the names in `folder`; loads nothing yet.
    ///
    /// Throws when the folder cannot be read.
    package init(folder: String, loader: ModelLoader, logger: Logger) throws(RepositoryError) {
        var models: [ServedModel] = []
        let names = NameIndex()
        for name in try FileSystem.entries(of: folder) where name != "__pycache__" {
            let path = folder + "/" + name
            guard FileSystem.isDirectory(path) else { continue }
            guard models.count < Self.maximumModelCount else {
                throw .modelCount(maximum: Self.maximumModelCount)
            }
            models.append(
                Self.scan(name, index: names.number(of: name), folder: path, fileNames: loader.fileNames))
        }
        self.models = models
        self.names = names
        byName = Dictionary(uniqueKeysWithValues: models.map { ($0.name, $0) })
        self.loader = loader
        self.logger = logger
    }

    /// Begins to load every version, in the order of the names. Call it once.
    package func start() {
        let thread = Thread(name: "load") { [self] in
            for model in models { load(model) }
        }
        loading.withLock { $0 = thread }
    }

    /// Blocks until every version is ready or unavailable.
    package func waitUntilLoaded() {
        let thread = loading.withLock { thread in
            defer { thread = nil }
            return thread
        }
        thread?.join()
    }

    /// Strict: every version of every model is served.
    package var isReady: Bool { models.allSatisfy(\.isReady) }

    /// The first model that is not ready, with the reason.
    package var blockingReason: String? {
        models.first { !$0.isReady }.map { "model '\($0.name)' is not ready: \($0.blockingReason)" }
    }

    package func model(named name: String) throws(ServingError) -> ServedModel {
        guard let model = byName[name] else { throw .unknownModel(name: name) }
        return model
    }

    private func load(_ model: ServedModel) {
        let description: ModelDescription
        do {
            description = try ModelDescription(path: model.folder + "/model.json")
        } catch {
            for version in model.versions { refuse(model, version, error) }
            return
        }
        for version in model.versions {
            do {
                let loaded = try loader.load(
                    name: model.name, version: version, folder: model.folder + "/" + version,
                    description: description)
                model.setState(.ready(loaded), of: version)
                logger.info(
                    "model ready",
                    metadata: [
                        "model": "\(model.name)", "version": "\(version)", "seconds": "\(loaded.loadSeconds)",
                    ])
            } catch {
                refuse(model, version, error)
            }
        }
    }

    private func refuse(_ model: ServedModel, _ version: String, _ error: RepositoryError) {
        // One line, whatever names a damaged file holds.
        let reason = String(error.description.map { $0.isNewline ? " " : $0 })
        model.setState(.unavailable(reason: reason), of: version)
        logger.error(
            "model unavailable",
            metadata: ["model": "\(model.name)", "version": "\(version)", "reason": "\(reason)"])
    }

    private static func scan(_ name: String, index: Int?, folder: String, fileNames: [String]) -> ServedModel
    {
        var versions: [Int] = []
        var problem: RepositoryError?
        do {
            for entry in try FileSystem.entries(of: folder) {
                let path = folder + "/" + entry
                guard FileSystem.isDirectory(path) else { continue }
                if let number = versionNumber(entry) {
                    versions.append(number)
                } else if fileNames.contains(where: { FileSystem.exists(path + "/" + $0) }) {
                    problem = .versionName(entry)
                }
            }
        } catch {
            problem = error
        }
        if versions.isEmpty, problem == nil {
            problem = .noVersion(path: folder, expected: fileNames.first ?? "")
        }
        if versions.count > maximumModelCount {
            versions = []
            problem = .modelCount(maximum: maximumModelCount)
        }
        return ServedModel(
            name: name, index: index, folder: folder, versions: versions.sorted().map(String.init),
            problem: problem?.description)
    }

    /// `[1-9][0-9]*`, as far as numbers go.
    static func versionNumber(_ name: String) -> Int? {
        guard let number = Int(name), number > 0, String(number) == name else { return nil }
        return number
    }
}
