/// Why a model was not loaded or unloaded as asked.
package enum RepositoryControlError: Error, Equatable, CustomStringConvertible {
    case unknownModel(name: String)
    /// What could not be loaded; what was served before still is.
    case load(model: String, reason: String)
    case mode(RepositoryConfiguration.Mode)
    case busy
    case stopping

    package var status: Int {
        switch self {
        case .unknownModel: 404
        case .load: 400
        case .mode: 501
        case .busy, .stopping: 503
        }
    }

    package var description: String {
        switch self {
        case .unknownModel(let name): "Request for unknown model: '\(name)' is not found"
        case .load(let model, let reason): "model '\(model)' is not loaded: \(reason)"
        case .mode(let mode):
            "models are loaded and unloaded by request in repository.mode 'explicit' alone; it is "
                + "'\(mode.rawValue)'"
        case .busy: "too many loads and unloads are waiting"
        case .stopping: "the server is shutting down"
        }
    }
}
