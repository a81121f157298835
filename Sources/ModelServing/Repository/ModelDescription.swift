import FoundationEssentials

/// What a model's own `model.json` says beside its file.
package struct ModelDescription: Sendable {
    /// The classes' names by output; the key "" stands for every output.
    package var labels: [String: [String]]
    /// Free-form: what the model is, where its data came from, how well it does.
    package var card: JSONValue?
    /// How far from golden outputs an output may be, in units of max(1, their standard deviation).
    package var tolerance: Double
    package var versionPolicy = VersionPolicy.all

    /// `batching.maxBatchSize`: items that may ride in one run; `nil`: the server's own.
    package var maximumBatchSize: Int?
    /// `batching.maxQueueDelayMicroseconds`: how long a request may be held back for others; `nil`: the server's own.
    package var queueDelayMicroseconds: UInt64?

    package static let defaultTolerance = 1e-4
    package static let maximumByteCount = 1 << 20
    static let knownKeys = ["labels", "card", "tolerance", "batching", "versionPolicy"]
    static let knownBatchingKeys = ["maxBatchSize", "maxQueueDelayMicroseconds"]

    package init(
        labels: [String: [String]] = [:], card: JSONValue? = nil, tolerance: Double = defaultTolerance
    ) {
        self.labels = labels
        self.card = card
        self.tolerance = tolerance
    }

    /// Reads a file; without one, every setting has its default.
    package init(path: String) throws(RepositoryError) {
        guard FileSystem.exists(path) else {
            self.init()
            return
        }
        let json: [UInt8]
        do {
            json = try SmallFile.read(path, maximumByteCount: Self.maximumByteCount)
        } catch {
            throw .description(path: path, reason: error.reason)
        }
        do {
            try self.init(json: json)
        } catch {
            throw .description(path: path, reason: error.reason)
        }
    }

    package struct Invalid: Error {
        package let reason: String
    }

    package init(json: [UInt8]) throws(Invalid) {
        let value: JSONValue
        do {
            value = try JSONDecoder().decode(JSONValue.self, from: Data(json))
        } catch {
            throw Invalid(reason: "not valid JSON")
        }
        guard case .object(let members) = value else { throw Invalid(reason: "expected an object") }
        if let unknown = members.keys.filter({ !Self.knownKeys.contains($0) }).min() {
            throw Invalid(
                reason: "unknown key '\(unknown)'" + NearestName.hint(for: unknown, among: Self.knownKeys))
        }
        self.init()
        if let labels = members["labels"] { self.labels = try Self.labels(labels) }
        card = members["card"]
        if let batching = members["batching"] { try readBatching(batching) }
        if let tolerance = members["tolerance"] {
            guard case .number(let number) = tolerance, number > 0, number.isFinite else {
                throw Invalid(reason: "'tolerance' must be a number above 0")
            }
            self.tolerance = number
        }
        if let policy = members["versionPolicy"] { versionPolicy = try VersionPolicy(policy) }
    }

    private mutating func readBatching(_ value: JSONValue) throws(Invalid) {
        guard case .object(let members) = value else {
            throw Invalid(reason: "'batching' must be an object")
        }
        if let unknown = members.keys.filter({ !Self.knownBatchingKeys.contains($0) }).min() {
            throw Invalid(
                reason: "unknown key '\(unknown)' of 'batching'"
                    + NearestName.hint(for: unknown, among: Self.knownBatchingKeys))
        }
        maximumBatchSize = try Self.integer(members, "maxBatchSize", BatchPolicy.itemCountRange)
        queueDelayMicroseconds = try Self.integer(
            members, "maxQueueDelayMicroseconds", BatchPolicy.queueDelayRange
        ).map(UInt64.init)
    }

    private static func integer(
        _ members: [String: JSONValue], _ key: String, _ range: ClosedRange<Int>
    ) throws(Invalid) -> Int? {
        guard let value = members[key] else { return nil }
        guard case .number(let number) = value, let integer = Int(exactly: number), range.contains(integer)
        else {
            throw Invalid(
                reason: "'\(key)' must be an integer from \(range.lowerBound) to \(range.upperBound)")
        }
        return integer
    }

    /// The classes' names of one output.
    package func labels(of output: String) -> [String]? { labels[output] ?? labels[""] }

    private static func labels(_ value: JSONValue) throws(Invalid) -> [String: [String]] {
        if let names = value.strings { return ["": names] }
        guard case .object(let outputs) = value else {
            throw Invalid(reason: "'labels' must be a list of strings, or one for each output")
        }
        var labels: [String: [String]] = [:]
        for (output, names) in outputs {
            guard let names = names.strings else {
                throw Invalid(reason: "'labels' of output '\(output)' must be a list of strings")
            }
            labels[output] = names
        }
        return labels
    }
}

/// Any JSON value.
package enum JSONValue: Codable, Sendable, Equatable {
    case null
    case boolean(Bool)
    case number(Double)
    case string(String)
    case array([JSONValue])
    case object([String: JSONValue])

    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            self = .null
        } else if let value = try? container.decode(Bool.self) {
            self = .boolean(value)
        } else if let value = try? container.decode(Double.self) {
            self = .number(value)
        } else if let value = try? container.decode(String.self) {
            self = .string(value)
        } else if let value = try? container.decode([JSONValue].self) {
            self = .array(value)
        } else {
            self = .object(try container.decode([String: JSONValue].self))
        }
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .null: try container.encodeNil()
        case .boolean(let value): try container.encode(value)
        case .number(let value): try container.encode(value)
        case .string(let value): try container.encode(value)
        case .array(let value): try container.encode(value)
        case .object(let value): try container.encode(value)
        }
    }

    /// The elements, when this is a list of strings.
    package var strings: [String]? {
        guard case .array(let values) = self else { return nil }
        let strings = values.compactMap { value -> String? in
            if case .string(let string) = value { string } else { nil }
        }
        return strings.count == values.count ? strings : nil
    }
}
