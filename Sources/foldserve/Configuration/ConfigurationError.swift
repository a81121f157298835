/// What can be wrong with the configuration.
package enum ConfigurationError: Error, Equatable, CustomStringConvertible {
    case file(path: String, reason: String)
    /// `hint` names the nearest known one.
    case unknownSetting(name: String, hint: String)
    case unknownVariable(name: String, hint: String)
    case value(name: String, expected: String, actual: String)
    /// Of two settings that need each other one is missing.
    case pair(given: String, missing: String)

    package var description: String {
        switch self {
        case .file(let path, let reason): "\(path): \(reason)"
        case .unknownSetting(let name, let hint): "unknown setting '\(name)'\(hint)"
        case .unknownVariable(let name, let hint): "unknown environment variable '\(name)'\(hint)"
        case .value(let name, let expected, let actual):
            "setting '\(name)' is \(actual), expected \(expected)"
        case .pair(let given, let missing): "setting '\(given)' needs '\(missing)' too"
        }
    }
}
