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
}

/// A model of the repository with its versions, whether they can be served or not.
package final class ServedModel: Sendable {
    package let name: String
    /// The name's number, which metrics index by; `nil` past `NameIndex.maximumCount` names.
    package let index: Int?
    /// Canonical decimal numbers, ascending.
    package let versions: [String]
    let folder: String
    /// What is wrong with the model's folder as a whole.
    package let problem: String?
    private let states: Lock<[String: VersionState]>

    init(name: String, index: Int?, folder: String, versions: [String], problem: String?) {
        self.name = name
        self.index = index
        self.folder = folder
        self.versions = versions
        self.problem = problem
        states = Lock(Dictionary(uniqueKeysWithValues: versions.map { ($0, VersionState.loading) }))
    }

    package func state(of version: String) -> VersionState? { states.withLock { $0[version] } }

    func setState(_ state: VersionState, of version: String) { states.withLock { $0[version] = state } }

    /// Every version with its state, ascending.
    package var allStates: [(version: String, state: VersionState)] {
        let states = states.withLock { $0 }
        return versions.compactMap { version in states[version].map { (version, $0) } }
    }

    /// The versions that are served, ascending.
    package var loaded: [LoadedModel] {
        allStates.compactMap { entry in
            if case .ready(let model) = entry.state { model } else { nil }
        }
    }

    /// Whether all of it is served.
    package var isReady: Bool { problem == nil && loaded.count == versions.count }

    /// The version that a request means: the named one, or the highest that is ready.
    package func resolve(_ version: String?) throws(ServingError) -> LoadedModel {
        guard let version else {
            if let model = loaded.last { return model }
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
