import Logging
import Glibc
import Threads

/// The models of a folder, `<name>/<version>/<file>`, each with the state it is in.
///
/// A thread of its own loads them, one after the other, and in the modes `poll` and `explicit` goes on to load, replace
/// and unload them. A model that cannot be loaded is kept with its reason, and what was served before goes on.
package final class ModelRepository: Sendable {
    /// The most models, and the most versions of a model.
    package static let maximumModelCount = 10_000
    /// Loads and unloads that wait for the thread; one more is refused.
    package static let maximumRequestCount = 64

    /// Numbers for the names of all models that ever were in the folder.
    package let names = NameIndex()
    package let configuration: RepositoryConfiguration
    package let loadCounts: LoadCounts
    let folder: String
    let loader: ModelLoader
    let logger: Logger
    let clock: MonotonicClock
    private let table: Lock<Models>
    private let work = Lock(Work())

    private struct Models {
        /// Sorted by name.
        var list: [ServedModel] = []
        var byName: [String: ServedModel] = [:]
    }

    /// How a load or an unload ended: `nil`, or why it did not do all that it was asked for.
    package typealias Completion = @Sendable (RepositoryControlError?) -> Void

    private enum Task: Sendable {
        case load(String, Completion)
        case unload(String, Completion)
    }

    private struct Work {
        var tasks: [Task] = []
        /// Look at the whole folder; at the start, and whenever it is time.
        var isScanDue = false
        var isBusy = false
        var isStopping = false
    }

    /// Reads the names in `folder`; loads nothing yet.
    ///
    /// Throws when the folder cannot be read.
    package init(
        folder: String, loader: ModelLoader, logger: Logger,
        configuration: RepositoryConfiguration = RepositoryConfiguration(), clock: MonotonicClock = .system
    ) throws(RepositoryError) {
        self.folder = folder
        self.loader = loader
        self.logger = logger
        self.configuration = configuration
        self.clock = clock
        loadCounts = LoadCounts(names: names)
        table = Lock(Models())
        for scan in try scanAll() {
            let model = add(scan.name)
            show(scan, in: model)
        }
    }

    // MARK: - What requests see

    /// Sorted by name.
    package var models: [ServedModel] { table.withLock { $0.list } }

    /// Strict: every version of every model that is awaited is served.
    package var isReady: Bool { blockingModel == nil }

    /// The first model for which the server is not ready.
    package var blockingModel: ServedModel? { models.first(where: \.isAwaited) }

    /// The first model that is not ready, with the reason.
    package var blockingReason: String? {
        blockingModel.map { "model '\($0.name)' is not ready: \($0.blockingReason)" }
    }

    package func model(named name: String) throws(ServingError) -> ServedModel {
        guard let model = table.withLock({ $0.byName[name] }) else { throw .unknownModel(name: name) }
        return model
    }

    // MARK: - The thread

    /// Begins to load, in the order of the names. Call it once.
    package func start() {
        // `stop` does not wait for it: a load may take long.
        Thread(name: "repository") { [self] in run() }.detach()
        work.withLock { $0.isScanDue = true }
        work.notifyAll()
    }

    /// Blocks until everything that was asked for has been done.
    package func waitUntilLoaded() {
        work.wait { work in !work.isScanDue && !work.isBusy && work.tasks.isEmpty ? () : nil }
    }

    /// Looks at the folder now instead of when it is time; in the mode `poll` alone.
    package func scanSoon() {
        guard configuration.mode == .poll else { return }
        work.withLock { $0.isScanDue = true }
        work.notifyAll()
    }

    /// Loads a model as it lies on the disk, in place of what is served of it. `completion` runs on the repository's
    /// thread, once.
    package func load(_ name: String, completion: @escaping Completion) throws(RepositoryControlError) {
        try submit(.load(name, completion))
    }

    /// Stops serving a model and returns its memory. `completion` runs on the repository's thread, once.
    package func unload(_ name: String, completion: @escaping Completion) throws(RepositoryControlError) {
        try submit(.unload(name, completion))
    }

    /// Begins nothing more; a load that is under way is not waited for.
    package func stop() {
        let tasks = work.withLock { work in
            work.isStopping = true
            defer { work.tasks = [] }
            return work.tasks
        }
        work.notifyAll()
        for case .load(_, let completion) in tasks { completion(.stopping) }
        for case .unload(_, let completion) in tasks { completion(.stopping) }
    }

    private func submit(_ task: Task) throws(RepositoryControlError) {
        guard configuration.mode == .explicit else { throw .mode(configuration.mode) }
        let refusal = work.withLock { work -> RepositoryControlError? in
            guard !work.isStopping else { return .stopping }
            guard work.tasks.count < Self.maximumRequestCount else { return .busy }
            work.tasks.append(task)
            return nil
        }
        if let refusal { throw refusal }
        work.notifyAll()
    }

    private enum Turn {
        case task(Task)
        case scan
        case end
    }

    private func run() {
        let reconciler = Reconciler(repository: self)
        while true {
            switch nextTurn(mustLookAgain: reconciler.mustLookAgain) {
            case .task(.load(let name, let completion)): completion(reconciler.load(name))
            case .task(.unload(let name, let completion)): completion(reconciler.unload(name))
            case .scan: reconciler.scan()
            case .end: return
            }
            work.withLock { $0.isBusy = false }
            work.notifyAll()
        }
    }

    /// New files are looked at again after so long, however seldom the folder is looked at.
    private static let secondLookSeconds = 1.0

    private func nextTurn(mustLookAgain: Bool) -> Turn {
        let seconds = configuration.pollSeconds
        let nanoseconds =
            configuration.mode == .poll
            ? UInt64((mustLookAgain ? min(seconds, Self.secondLookSeconds) : seconds) * 1e9) : nil
        let turn = work.wait(nanoseconds: nanoseconds) { work -> Turn? in
            if work.isStopping { return .end }
            if work.isScanDue {
                work.isScanDue = false
                work.isBusy = true
                return .scan
            }
            guard !work.tasks.isEmpty else { return nil }
            work.isBusy = true
            return .task(work.tasks.removeFirst())
        }
        if let turn { return turn }
        work.withLock { $0.isBusy = true }
        return .scan
    }

    var isStopping: Bool { work.withLock { $0.isStopping } }

    // MARK: - The list of models, changed by the thread alone

    func add(_ name: String) -> ServedModel {
        let model = ServedModel(name: name, index: names.number(of: name))
        table.withLock { models in
            models.list.insert(model, at: models.list.firstIndex { $0.name > name } ?? models.list.count)
            models.byName[name] = model
        }
        return model
    }

    func remove(_ model: ServedModel) {
        table.withLock { models in
            models.list.removeAll { $0 === model }
            models.byName[model.name] = nil
        }
    }

    /// Whether the server loads a model at its start.
    func isWantedAtStart(_ name: String) -> Bool {
        configuration.mode != .explicit || configuration.modelsAtStart.contains { $0 == name || $0 == "*" }
    }

    /// Lists the versions of a model that was met at the start.
    private func show(_ scan: ScannedModel, in model: ServedModel) {
        let isWanted = isWantedAtStart(scan.name)
        for (number, _) in scan.versions {
            let state = isWanted ? VersionState.loading : .unavailable(reason: Reconciler.unloaded)
            model.set(ServedModel.Version(number: number, state: state, isAwaited: isWanted))
        }
        model.setProblem(scan.problem, isAwaited: isWanted)
    }

    // MARK: - Looking at the folder

    /// Every model of the folder, sorted by name.
    func scanAll() throws(RepositoryError) -> [ScannedModel] {
        let root = try rootPath()
        var scans: [ScannedModel] = []
        for name in try FileSystem.entries(of: folder) where isModelFolder(name) {
            guard scans.count < Self.maximumModelCount else {
                throw .modelCount(maximum: Self.maximumModelCount)
            }
            scans.append(
                ScannedModel(name: name, repository: folder, root: root, fileNames: loader.fileNames))
        }
        return scans
    }

    /// One model of the folder. A name comes from the network: it is looked for among the names that are there, and no
    /// path is made of it before it was found.
    func scan(_ name: String) throws(RepositoryError) -> ScannedModel? {
        let root = try rootPath()
        guard try FileSystem.entries(of: folder).contains(name), isModelFolder(name) else { return nil }
        return ScannedModel(name: name, repository: folder, root: root, fileNames: loader.fileNames)
    }

    private func isModelFolder(_ name: String) -> Bool {
        name != "__pycache__" && FileSystem.isDirectory(folder + "/" + name)
    }

    private func rootPath() throws(RepositoryError) -> String {
        guard let root = FileSystem.realPath(folder) else {
            throw .folder(path: folder, reason: String(cString: strerror(errno)))
        }
        return root
    }

    /// `[1-9][0-9]*`, as far as numbers go.
    static func versionNumber(_ name: String) -> Int? {
        guard let number = Int(name), number > 0, String(number) == name else { return nil }
        return number
    }
}
