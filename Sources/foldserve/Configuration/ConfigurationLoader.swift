import FoundationEssentials
import ModelServing
import Tensors

/// Puts a configuration together: defaults, then the file, then `FOLDSERVE_…` variables; flags come after it.
package struct ConfigurationLoader {
    /// The largest configuration file that is read.
    static let maximumFileByteCount = 1 << 20
    /// Variables of the same prefix that are no settings.
    private static let otherVariables = ["FOLDSERVE_INSTRUCTION_SET"]

    private let environment: [String: String]

    package init(environment: [String: String]) { self.environment = environment }

    /// Throws the first of what is wrong.
    package func load(path: String?) throws(ConfigurationError) -> Configuration {
        let (configuration, errors) = collect(path: path, flags: [])
        if let first = errors.first { throw first }
        return configuration
    }

    /// What the settings come to, and everything that is wrong with them. `flags` are values by the setting's name.
    package func collect(
        path: String?, flags: [(name: String, flag: String, value: String)]
    ) -> (configuration: Configuration, errors: [ConfigurationError]) {
        var configuration = Configuration()
        var errors: [ConfigurationError] = []
        if let path { apply(file: path, to: &configuration, &errors) }
        applyEnvironment(to: &configuration, &errors)
        for (name, flag, value) in flags {
            guard let setting = Setting.all.first(where: { $0.name == name }) else { continue }
            Self.apply(setting, .text(value), as: flag, to: &configuration, &errors)
        }
        if (configuration.tlsCertificate == nil) != (configuration.tlsKey == nil) {
            errors.append(
                .pair(
                    given: configuration.tlsKey == nil ? "tlsCertificate" : "tlsKey",
                    missing: configuration.tlsKey == nil ? "tlsKey" : "tlsCertificate"))
        }
        return (configuration, errors)
    }

    private func apply(
        file path: String, to configuration: inout Configuration, _ errors: inout [ConfigurationError]
    ) {
        let settings: [(name: String, value: SettingValue)]
        do throws(ConfigurationError) {
            settings = try Self.settings(inFile: path)
        } catch {
            errors.append(error)
            return
        }
        let known = Dictionary(uniqueKeysWithValues: Setting.all.map { ($0.name, $0) })
        for (name, value) in settings {
            do throws(ConfigurationError) {
                guard let setting = known[name] else {
                    throw .unknownSetting(
                        name: name, hint: NearestName.hint(for: name, among: known.keys.sorted()))
                }
                try setting.apply(value, to: &configuration)
            } catch {
                errors.append(.file(path: path, reason: error.description))
            }
        }
    }

    private static func settings(
        inFile path: String
    ) throws(ConfigurationError) -> [(name: String, value: SettingValue)] {
        let data: Data
        do {
            let file = try MappedFile(path: path)
            guard file.bytes.count <= maximumFileByteCount else {
                throw ConfigurationError.file(path: path, reason: "over \(maximumFileByteCount) bytes long")
            }
            data = Data(file.bytes)
        } catch {
            throw error as? ConfigurationError ?? .file(path: path, reason: reason(error))
        }
        do {
            return try JSONDecoder().decode(ConfigurationFile.self, from: data).settings
        } catch {
            throw .file(path: path, reason: "not a JSON object of settings: \(reason(error))")
        }
    }

    private func applyEnvironment(
        to configuration: inout Configuration, _ errors: inout [ConfigurationError]
    ) {
        let known = Dictionary(uniqueKeysWithValues: Setting.all.map { ($0.variableName, $0) })
        for (name, value) in environment.sorted(by: { $0.key < $1.key })
        where name.hasPrefix("FOLDSERVE_") && !Self.otherVariables.contains(name) {
            guard let setting = known[name] else {
                errors.append(
                    .unknownVariable(
                        name: name, hint: NearestName.hint(for: name, among: known.keys.sorted())))
                continue
            }
            Self.apply(setting, .text(value), as: name, to: &configuration, &errors)
        }
    }

    /// `name` is what the caller gave the value by.
    private static func apply(
        _ setting: Setting, _ value: SettingValue, as name: String, to configuration: inout Configuration,
        _ errors: inout [ConfigurationError]
    ) {
        do throws(ConfigurationError) {
            try setting.apply(value, to: &configuration)
        } catch {
            guard case .value(_, let expected, let actual) = error else { return errors.append(error) }
            errors.append(.value(name: name, expected: expected, actual: actual))
        }
    }

    private static func reason(_ error: any Error) -> String {
        switch error {
        case let error as TensorError:
            if case .file(_, let reason) = error { reason } else { error.description }
        case DecodingError.dataCorrupted(let context), DecodingError.typeMismatch(_, let context):
            context.debugDescription
        default: String(describing: error)
        }
    }
}

/// A JSON object of scalars and of objects of scalars, flattened to dotted names.
private struct ConfigurationFile: Decodable {
    let settings: [(name: String, value: SettingValue)]

    private struct Key: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }
        init(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }

    init(from decoder: any Decoder) throws {
        let root = try decoder.container(keyedBy: Key.self)
        var settings: [(name: String, value: SettingValue)] = []
        for key in root.allKeys.sorted(by: { $0.stringValue < $1.stringValue }) {
            if let group = try? root.nestedContainer(keyedBy: Key.self, forKey: key) {
                for inner in group.allKeys.sorted(by: { $0.stringValue < $1.stringValue }) {
                    settings.append(
                        (key.stringValue + "." + inner.stringValue, try Self.scalar(group, inner)))
                }
            } else {
                settings.append((key.stringValue, try Self.scalar(root, key)))
            }
        }
        self.settings = settings
    }

    private static func scalar(_ container: KeyedDecodingContainer<Key>, _ key: Key) throws -> SettingValue {
        if try container.decodeNil(forKey: key) { return .null }
        if let flag = try? container.decode(Bool.self, forKey: key) { return .flag(flag) }
        if let number = try? container.decode(Double.self, forKey: key) { return .number(number) }
        if let text = try? container.decode(String.self, forKey: key) { return .text(text) }
        return .other
    }
}
