import Threads

/// Where a version of a model stands.
package enum VersionState: Sendable {
    case loading
    case ready(LoadedModel)
    /// No longer served; requests that came before are still answered.
    case unloading
    case unavailable(reason: String)

    /// The protocol's name of the state.
    package var name: String {
        switch self {
        case .loading: "LOADING"
        case .ready: "READY"
        case .unloading: "UNLOADING"
        case .unavailable: "UNAVAILABLE"
        }
    }

    package var reason: String? {
        if case .unavailable(let reason) = self { reason } else { nil }
    }

    var model: LoadedModel? {
        if case .ready(let model) = self { model } else { nil }
    }
}

/// A model of the repository with its versions, whether they can be served or not.
///
/// Only the repository's thread changes it; each change is seen whole or not at all.
package final class ServedModel: Sendable {
    struct Version: Sendable {
        let number: Int
        let name: String
        var state: VersionState
        /// The files that were loaded, or refused, last.
        var files: VersionFiles?
        /// Why a version that is served has not been replaced by what lies on the disk now.
        var reloadProblem: String?
        /// Whether the server is not ready until this version is.
        var isAwaited: Bool

        init(number: Int, state: VersionState, isAwaited: Bool) {
            self.number = number
            name = String(number)
            self.state = state
            self.isAwaited = isAwaited
        }
    }

    private struct State {
        /// Ascending.
        var versions: [Version] = []
        var problem: String?
        var isProblemAwaited = false
    }

    package let name: String
    /// The name's number, which metrics index by; `nil` past `NameIndex.maximumCount` names.
    package let index: Int?
    private let state = Lock(State())

    init(name: String, index: Int?) {
        self.name = name
        self.index = index
    }

    // MARK: - What the repository's thread changes

    func version(_ number: Int) -> Version? {
        state.withLock { state in state.versions.first { $0.number == number } }
    }

    var allVersions: [Version] { state.withLock { $0.versions } }

    /// Puts a version in its place, or in that of the one with the same number.
    func set(_ version: Version) {
        state.withLock { state in
            if let index = state.versions.firstIndex(where: { $0.number >= version.number }) {
                if state.versions[index].number == version.number {
                    state.versions[index] = version
                } else {
                    state.versions.insert(version, at: index)
                }
            } else {
                state.versions.append(version)
            }
        }
    }

    func remove(_ number: Int) {
        state.withLock { state in state.versions.removeAll { $0.number == number } }
    }

    func setProblem(_ problem: String?, isAwaited: Bool) {
        state.withLock { state in
            state.problem = problem
            state.isProblemAwaited = isAwaited
        }
    }

    /// Whether the server is not ready until the folder's problem is gone.
    var isProblemAwaited: Bool { state.withLock { $0.problem != nil && $0.isProblemAwaited } }

    // MARK: - What requests see

    /// Canonical decimal numbers, ascending.
    package var versions: [String] { state.withLock { $0.versions.map(\.name) } }

    /// What is wrong with the model's folder as a whole.
    package var problem: String? { state.withLock { $0.problem } }

    package func state(of version: String) -> VersionState? {
        state.withLock { state in state.versions.first { $0.name == version }?.state }
    }

    /// Every version with its state, ascending.
    package var allStates: [(version: String, state: VersionState)] {
        state.withLock { $0.versions.map { ($0.name, $0.state) } }
    }

    /// Why a version that is served has not been replaced by what lies on the disk now.
    package func reloadProblem(of version: String) -> String? {
        state.withLock { state in state.versions.first { $0.name == version }?.reloadProblem }
    }

    /// The versions that are served, ascending.
    package var loaded: [LoadedModel] { state.withLock { $0.versions.compactMap(\.state.model) } }

    /// Whether all of it is served.
    package var isReady: Bool {
        state.withLock { state in
            state.problem == nil && !state.versions.isEmpty
                && state.versions.allSatisfy { $0.state.model != nil }
        }
    }

    /// Whether the server is not ready because of this model.
    ///
    /// What came while the server ran, and what was unloaded on request, takes no readiness away.
    package var isAwaited: Bool {
        state.withLock { state in
            (state.problem != nil && state.isProblemAwaited)
                || state.versions.contains { $0.isAwaited && $0.state.model == nil }
        }
    }

    /// The version that a request means: the named one, or the highest that is ready.
    package func resolve(_ version: String?) throws(ServingError) -> LoadedModel {
        guard let version else {
            let highest = state.withLock { state in state.versions.last { $0.state.model != nil }?.state.model
            }
            if let highest { return highest }
            throw .notReady(model: name, version: nil, reason: blockingReason)
        }
        switch state(of: version) {
        case .ready(let model): return model
        case .loading: throw .notReady(model: name, version: version, reason: "it is loading")
        case .unloading: throw .notReady(model: name, version: version, reason: "it is unloading")
        case .unavailable(let reason): throw .notReady(model: name, version: version, reason: reason)
        case nil: throw .unknownVersion(model: name, version: version)
        }
    }

    /// Why not all of the model is served.
    package var blockingReason: String {
        if let problem { return problem }
        for (version, state) in allStates.reversed() {
            if let reason = state.reason { return "version \(version): \(reason)" }
        }
        return "it is loading"
    }
}
