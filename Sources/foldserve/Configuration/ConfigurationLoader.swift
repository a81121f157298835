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

    package func load(path: String?) throws(ConfigurationError) -> Configuration {
        var configuration = Configuration()
        if let path { try apply(file: path, to: &configuration) }
        try applyEnvironment(to: &configuration)
        return configuration
    }

    private func apply(file path: String, to configuration: inout Configuration) throws(ConfigurationError) {
        let data: Data
        do {
            let file = try MappedFile(path: path)
            guard file.bytes.count <= Self.maximumFileByteCount else {
                throw ConfigurationError.file(
                    path: path, reason: "over \(Self.maximumFileByteCount) bytes long")
            }
            data = Data(file.bytes)
        } catch {
            throw error as? ConfigurationError ?? .file(path: path, reason: Self.reason(error))
        }
        let settings: [(name: String, value: SettingValue)]
        do {
            settings = try JSONDecoder().decode(ConfigurationFile.self, from: data).settings
        } catch {
            throw .file(path: path, reason: "not a JSON object of settings: \(Self.reason(error))")
        }
        let known = Dictionary(uniqueKeysWithValues: Setting.all.map { ($0.name, $0) })
        do {
            for (name, value) in settings {
                guard let setting = known[name] else {
                    throw ConfigurationError.unknownSetting(
                        name: name, hint: NearestName.hint(for: name, among: known.keys.sorted()))
                }
                try setting.apply(value, to: &configuration)
            }
        } catch {
            throw .file(path: path, reason: String(describing: error))
        }
    }

    private func applyEnvironment(to configuration: inout Configuration) throws(ConfigurationError) {
        let known = Dictionary(uniqueKeysWithValues: Setting.all.map { ($0.variableName, $0) })
        for (name, value) in environment.sorted(by: { $0.key < $1.key })
        where name.hasPrefix("FOLDSERVE_") && !Self.otherVariables.contains(name) {
            guard let setting = known[name] else {
                throw .unknownVariable(
                    name: name, hint: NearestName.hint(for: name, among: known.keys.sorted()))
            }
            do {
                try setting.apply(.text(value), to: &configuration)
            } catch {
                guard case .value(_, let expected, let actual) = error else { throw error }
                throw .value(name: name, expected: expected, actual: actual)
            }
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
        return .text(try container.decode(String.self, forKey: key))
    }
}
