import ModelServing

/// What the repository holds, a line for each version of each model.
struct RepositoryIndex {
    struct Entry {
        let name: String
        /// `nil` for a model that has none.
        let version: String?
        let state: String
        let reason: String?
    }

    static func entries(of repository: ModelRepository, isReadyOnly: Bool) -> [Entry] {
        repository.models.flatMap { model -> [Entry] in
            let states = model.allStates
            if states.isEmpty, !isReadyOnly {
                return [
                    Entry(name: model.name, version: nil, state: "UNAVAILABLE", reason: model.problem)
                ]
            }
            return states.compactMap { version, state in
                if isReadyOnly, case .ready = state {} else if isReadyOnly { return nil }
                return Entry(
                    name: model.name, version: version, state: state.name,
                    reason: state.reason ?? model.reloadProblem(of: version))
            }
        }
    }
}
