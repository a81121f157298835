import HTTPServer
import Logging
import ModelServing

/// One setting: its name in the configuration file, and how a value gets into a `Configuration`.
package struct Setting {
    /// `limits.maximumBodyByteCount`: the path in the file.
    package let name: String
    private let field: Field

    private enum Field {
        case text(WritableKeyPath<Configuration, String>, allowed: [String]?)
        case optionalText(WritableKeyPath<Configuration, String?>)
        case integer(WritableKeyPath<Configuration, Int>, ClosedRange<Int>)
        case seconds(WritableKeyPath<Configuration, Double>)
        case flag(WritableKeyPath<Configuration, Bool>)
    }

    /// Every setting, in the order of the configuration file.
    package static var all: [Setting] {
        [
            Setting("models", .text(\.models, allowed: nil)),
            Setting("cacheDir", .optionalText(\.cacheDir)),
            Setting("host", .text(\.host, allowed: nil)),
            Setting("port", .integer(\.port, 0...65_535)),
            Setting("tlsCertificate", .optionalText(\.tlsCertificate)),
            Setting("tlsKey", .optionalText(\.tlsKey)),
            Setting("eventLoops", .integer(\.eventLoops, 1...64)),
            Setting("threads", .integer(\.threads, 0...1024)),
            Setting("queueCapacity", .integer(\.queueCapacity, 1...1_000_000)),
            Setting("totalQueueCapacity", .integer(\.totalQueueCapacity, 1...1_000_000)),
            Setting("maximumWaitSeconds", .seconds(\.maximumWaitSeconds)),
            Setting("logLevel", .text(\.logLevel, allowed: Logger.Level.allCases.map(\.rawValue))),
            Setting("logFormat", .text(\.logFormat, allowed: ["text", "json"])),
            Setting("drainTimeoutSeconds", .seconds(\.drainTimeoutSeconds)),
            Setting("modelDigests", .flag(\.modelDigests)),
            Setting("serverTiming", .flag(\.serverTiming)),
            Setting("metrics.tritonNames", .flag(\.metrics.tritonNames)),
            Setting(
                "batching.maxBatchSize", .integer(\.batching.maxBatchSize, BatchPolicy.itemCountRange)),
            Setting(
                "batching.maxQueueDelayMicroseconds",
                .integer(\.batching.maxQueueDelayMicroseconds, BatchPolicy.queueDelayRange)),
            Setting(
                "repository.mode",
                .text(\.repository.mode, allowed: RepositoryConfiguration.Mode.allCases.map(\.rawValue))),
            Setting("repository.pollSeconds", .seconds(\.repository.pollSeconds)),
            Setting("repository.loadAtStart", .text(\.repository.loadAtStart, allowed: nil)),
            Setting("access.tokenFile", .optionalText(\.access.tokenFile)),
            Setting("admin.host", .text(\.admin.host, allowed: nil)),
            Setting("admin.port", .integer(\.admin.port, 0...65_535)),
            Setting("admin.tokenFile", .optionalText(\.admin.tokenFile)),
            Setting("engine.winograd", .flag(\.engine.winograd)),
            limit("maximumHeaderByteCount", \.maximumHeaderByteCount),
            limit("maximumHeaderCount", \.maximumHeaderCount),
            limit("maximumTargetByteCount", \.maximumTargetByteCount),
            limit("maximumBodyByteCount", \.maximumBodyByteCount),
            limit("maximumBufferedByteCount", \.maximumBufferedByteCount),
            limit("maximumChunkExtensionByteCount", \.maximumChunkExtensionByteCount),
            limit("maximumConnections", \.maximumConnections),
            limit("maximumConcurrentStreams", \.maximumConcurrentStreams),
            limit("maximumPipelinedRequests", \.maximumPipelinedRequests),
            limit("maximumQueuedOutputByteCount", \.maximumQueuedOutputByteCount),
            limit("streamResetBurst", \.streamResetBurst),
            limit("streamResetsPerSecond", \.streamResetsPerSecond),
            limit("headerTimeoutSeconds", \.headerTimeoutSeconds),
            limit("bodyTimeoutSeconds", \.bodyTimeoutSeconds),
            limit("minimumBodyBytesPerSecond", \.minimumBodyBytesPerSecond),
            limit("idleTimeoutSeconds", \.idleTimeoutSeconds),
            limit("handshakeTimeoutSeconds", \.handshakeTimeoutSeconds),
            limit("writeTimeoutSeconds", \.writeTimeoutSeconds),
            limit("lingerTimeoutSeconds", \.lingerTimeoutSeconds),
            limit("drainGraceSeconds", \.drainGraceSeconds),
        ]
    }

    private static var limits: WritableKeyPath<Configuration, Limits> { \.limits }

    private init(_ name: String, _ field: Field) {
        self.name = name
        self.field = field
    }

    private static func limit(_ name: String, _ path: WritableKeyPath<Limits, Int>) -> Setting {
        Setting("limits." + name, .integer(limits.appending(path: path), 1...(1 << 40)))
    }

    private static func limit(_ name: String, _ path: WritableKeyPath<Limits, Double>) -> Setting {
        Setting("limits." + name, .seconds(limits.appending(path: path)))
    }

    /// `FOLDSERVE_LIMITS_MAXIMUM_BODY_BYTE_COUNT`.
    package var variableName: String {
        var result = "FOLDSERVE_"
        for character in name {
            if character == "." {
                result += "_"
            } else {
                if character.isUppercase, result.last?.isUppercase != true || !result.hasSuffix("_") {
                    result += "_"
                }
                result += character.uppercased()
            }
        }
        return result
    }

    /// Puts a value from the file or, as text, from the environment into `configuration`.
    ///
    /// Throws `ConfigurationError.value` when it is of the wrong kind or out of range.
    package func apply(_ value: SettingValue, to configuration: inout Configuration)
        throws(ConfigurationError)
    {
        switch field {
        case .text(let path, let allowed):
            guard case .text(let text) = value else { throw error("a string", value) }
            if let allowed, !allowed.contains(text) {
                throw error("one of " + allowed.joined(separator: ", "), value)
            }
            configuration[keyPath: path] = text
        case .optionalText(let path):
            switch value {
            case .text(let text): configuration[keyPath: path] = text.isEmpty ? nil : text
            case .null: configuration[keyPath: path] = nil
            default: throw error("a string or null", value)
            }
        case .integer(let path, let range):
            guard let integer = value.integer, range.contains(integer) else {
                throw error("an integer from \(range.lowerBound) to \(range.upperBound)", value)
            }
            configuration[keyPath: path] = integer
        case .seconds(let path):
            guard let seconds = value.real, seconds > 0, seconds <= 86_400 else {
                throw error("seconds above 0, up to 86400", value)
            }
            configuration[keyPath: path] = seconds
        case .flag(let path):
            guard let flag = value.flag else { throw error("true or false", value) }
            configuration[keyPath: path] = flag
        }
    }

    /// The value that `configuration` holds.
    package func value(in configuration: Configuration) -> SettingValue {
        switch field {
        case .text(let path, _): .text(configuration[keyPath: path])
        case .optionalText(let path): configuration[keyPath: path].map(SettingValue.text) ?? .null
        case .integer(let path, _): .number(Double(configuration[keyPath: path]))
        case .seconds(let path): .number(configuration[keyPath: path])
        case .flag(let path): .flag(configuration[keyPath: path])
        }
    }

    private func error(_ expected: String, _ actual: SettingValue) -> ConfigurationError {
        .value(name: name, expected: expected, actual: actual.description)
    }
}
