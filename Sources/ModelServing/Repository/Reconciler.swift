import CLinux
import Glibc
import Logging

/// Brings what is served to what lies on the disk. Confined to the repository's thread.
///
/// A version is loaded beside the one that it replaces, and takes its place when it has passed every check; the old one
/// answers the requests that it has, and is let go. Nothing that is served is given up for something that fails.
final class Reconciler {
    private unowned let repository: ModelRepository
    /// The last look at each model.
    private var seen: [String: ScannedModel] = [:]
    /// Models that were missing at the last look.
    private var missing: Set<String> = []
    private var isFirstScan = true
    private var drains: [Drain] = []
    /// Whether something was loaded, or let go, since the heap was trimmed: a look alone leaves it as it is.
    private var hasWorked = false
    /// Whether the last look found files that were new, so that another one must agree.
    private(set) var mustLookAgain = false

    /// The reason that a version has which was unloaded on request, or not yet loaded.
    static let unloaded = "unloaded"
    /// Files that nobody has written for so long were not left half-way, when they are seen for the first time.
    private static let settledMilliseconds = 2000
    /// How long the memory of a version that is no longer served is waited for.
    private static let drainSeconds = 10.0
    private static let drainStepMicroseconds: UInt32 = 2000

    init(repository: ModelRepository) { self.repository = repository }

    /// Looks at the whole folder and follows it.
    func scan() {
        let scans: [ScannedModel]
        do {
            scans = try repository.scanAll()
        } catch {
            repository.logger.error(
                "the model repository cannot be read; what is served stays",
                metadata: ["reason": "\(error.description)"])
            return
        }
        mustLookAgain = false
        for scan in scans {
            if repository.isStopping { return }
            missing.remove(scan.name)
            if isFirstScan, !repository.isWantedAtStart(scan.name) { continue }
            let model = (try? repository.model(named: scan.name)) ?? repository.add(scan.name)
            _ = reconcile(model, scan) { version in isSettled(scan, version) }
            if repository.configuration.mode == .poll { seen[scan.name] = scan }
            letGo()
        }
        isFirstScan = false
        guard repository.configuration.mode == .poll else { return }
        let present = Set(scans.map(\.name))
        for model in repository.models where !present.contains(model.name) {
            // Two looks must agree here too: a folder that is being replaced is away for a moment.
            guard !missing.insert(model.name).inserted else {
                mustLookAgain = true
                continue
            }
            missing.remove(model.name)
            seen[model.name] = nil
            repository.remove(model)
            for version in model.allVersions { retire(version, of: model) }
        }
        letGo()
    }

    /// Loads a model as it lies on the disk.
    func load(_ name: String) -> RepositoryControlError? {
        let found: ScannedModel?
        do {
            found = try repository.scan(name)
        } catch {
            return .load(model: name, reason: error.description)
        }
        guard let scan = found else { return .unknownModel(name: name) }
        let model = (try? repository.model(named: name)) ?? repository.add(name)
        let failure = reconcile(model, scan) { _ in true }
        letGo()
        return (failure ?? scan.problem).map { .load(model: name, reason: $0) }
    }

    /// Stops serving a model.
    func unload(_ name: String) -> RepositoryControlError? {
        guard let model = try? repository.model(named: name) else { return .unknownModel(name: name) }
        model.setProblem(nil, isAwaited: false)
        for var version in model.allVersions {
            drains.append(Drain(version.state.model))
            version.state = .unloading
            version.files = nil
            version.reloadProblem = nil
            version.isAwaited = false
            model.set(version)
        }
        letGo()
        for var version in model.allVersions {
            version.state = .unavailable(reason: Self.unloaded)
            model.set(version)
        }
        repository.logger.info("model unloaded", metadata: ["model": "\(name)"])
        return nil
    }

    // MARK: - One model

    /// Loads what is new or changed, then retires what is no longer wanted. Returns the first failure.
    private func reconcile(
        _ model: ServedModel, _ scan: ScannedModel, isSettled: (Int) -> Bool
    ) -> String? {
        var failure: String?
        var isIncomplete = false
        for (number, files) in scan.versions {
            if repository.isStopping { return failure }
            let known = model.version(number)
            if let known, known.files == files {
                // Loaded, or refused, with these very files.
                let reason = known.reloadProblem ?? known.state.reason
                failure = failure ?? reason.map { "version \(number): \($0)" }
                isIncomplete = isIncomplete || reason != nil
                continue
            }
            guard isSettled(number) else {
                isIncomplete = true
                mustLookAgain = true
                // Listed as loading: it is being copied.
                if known == nil {
                    model.set(.init(number: number, state: .loading, isAwaited: isFirstScan))
                }
                continue
            }
            if let reason = load(number, files, known, model, scan) {
                failure = failure ?? "version \(number): \(reason)"
                isIncomplete = true
            }
        }
        model.setProblem(scan.problem, isAwaited: isFirstScan || model.isProblemAwaited)
        // What is served stays until all that shall take its place has come.
        if !isIncomplete || scan.versions.isEmpty {
            for version in model.allVersions where scan.files(of: version.number) == nil {
                guard version.state.model == nil || isGone(version.number, model, scan) else {
                    mustLookAgain = true
                    continue
                }
                model.remove(version.number)
                retire(version, of: model)
            }
        }
        return failure
    }

    /// Whether two looks agree that a version is no longer wanted.
    private func isGone(_ number: Int, _ model: ServedModel, _ scan: ScannedModel) -> Bool {
        guard repository.configuration.mode == .poll, !scan.presentVersions.contains(number) else {
            return true
        }
        return seen[model.name].map { !$0.presentVersions.contains(number) } ?? true
    }

    /// Whether nobody is writing a version's files.
    private func isSettled(_ scan: ScannedModel, _ version: Int) -> Bool {
        guard repository.configuration.mode == .poll, let files = scan.files(of: version) else { return true }
        if let before = seen[scan.name], before.files(of: version) == files { return true }
        guard isFirstScan else { return false }
        let now = Int(clamping: repository.clock.wallMilliseconds())
        return files.lastChangeMilliseconds < now - Self.settledMilliseconds
    }

    /// Loads a version and puts it in the place of the one before. Returns why it did not.
    private func load(
        _ number: Int, _ files: VersionFiles, _ known: ServedModel.Version?, _ model: ServedModel,
        _ scan: ScannedModel
    ) -> String? {
        var version =
            known ?? ServedModel.Version(number: number, state: .loading, isAwaited: isFirstScan)
        if version.state.model == nil {
            version.state = .loading
            model.set(version)
        }
        version.files = files
        version.reloadProblem = nil
        hasWorked = true
        do throws(RepositoryError) {
            let description = try scan.description.get()
            if let problem = files.problem { throw .files(problem) }
            let loaded = try repository.loader.load(
                name: model.name, version: version.name, folder: "\(scan.folder)/\(number)",
                description: description, files: files)
            try checkUnchanged(files, number, model.name)
            drains.append(Drain(version.state.model))
            version.state = .ready(loaded)
            model.set(version)
            repository.loadCounts.record(model: model.index, isSuccess: true)
            repository.logger.info(
                "model ready",
                metadata: [
                    "model": "\(model.name)", "version": "\(number)", "seconds": "\(loaded.loadSeconds)",
                ])
            return nil
        } catch {
            return refuse(&version, model, error)
        }
    }

    private func checkUnchanged(
        _ files: VersionFiles, _ number: Int, _ name: String
    ) throws(RepositoryError) {
        guard try repository.scan(name)?.files(of: number) == files else { throw .changedWhileLoading }
    }

    private func refuse(
        _ version: inout ServedModel.Version, _ model: ServedModel, _ error: RepositoryError
    ) -> String {
        // One line, whatever names a damaged file holds.
        let reason = String(error.description.map { $0.isNewline ? " " : $0 })
        let isServed = version.state.model != nil
        if isServed {
            version.reloadProblem = reason
        } else {
            version.state = .unavailable(reason: reason)
        }
        model.set(version)
        repository.loadCounts.record(model: model.index, isSuccess: false)
        repository.logger.error(
            isServed ? "model not replaced; the one before stays" : "model unavailable",
            metadata: ["model": "\(model.name)", "version": "\(version.name)", "reason": "\(reason)"])
        return reason
    }

    // MARK: - Letting go

    /// A model that is no longer served: gone once nobody answers with it any more.
    private struct Drain {
        weak var model: LoadedModel?
        init(_ model: LoadedModel?) { self.model = model }
    }

    private func retire(_ version: ServedModel.Version, of model: ServedModel) {
        guard version.state.model != nil else { return }
        drains.append(Drain(version.state.model))
        repository.logger.info(
            "model no longer served", metadata: ["model": "\(model.name)", "version": "\(version.name)"])
    }

    /// Waits until nobody answers with what was replaced, and gives its memory back to the system, with what loading
    /// took.
    private func letGo() {
        guard hasWorked || !drains.isEmpty else { return }
        hasWorked = false
        let start = repository.clock.nanoseconds()
        while drains.contains(where: { $0.model != nil }), !repository.isStopping,
            Double(repository.clock.nanoseconds() &- start) < Self.drainSeconds * 1e9
        { usleep(Self.drainStepMicroseconds) }
        drains = []
        clinux_trim_heap()
    }
}
