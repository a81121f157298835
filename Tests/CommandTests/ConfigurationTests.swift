import Foundation
import Testing

import foldserve

@Suite struct ConfigurationTests {
    private static let root = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().path

    private func load(
        _ text: String? = nil, environment: [String: String] = [:]
    ) throws(ConfigurationError) -> Configuration {
        let path = NSTemporaryDirectory() + "configuration-\(UUID().uuidString).json"
        if let text { _ = FileManager.default.createFile(atPath: path, contents: Data(text.utf8)) }
        defer { try? FileManager.default.removeItem(atPath: path) }
        return try ConfigurationLoader(environment: environment).load(path: text == nil ? nil : path)
    }

    /// The message of a configuration that must not load, without the file's path.
    private func message(_ text: String? = nil, environment: [String: String] = [:]) -> String {
        do {
            _ = try load(text, environment: environment)
            return "loaded"
        } catch {
            guard case .file(_, let reason) = error else { return error.description }
            return reason
        }
    }

    @Test func `the shipped file holds every setting with its default`() throws {
        let path = Self.root + "/config/foldserve.json"
        let configuration = try ConfigurationLoader(environment: [:]).load(path: path)
        let defaults = Configuration()
        let object = try #require(
            JSONSerialization.jsonObject(with: Data(contentsOf: URL(fileURLWithPath: path))) as? [String: Any]
        )
        var names: Set<String> = []
        for (key, value) in object {
            if let group = value as? [String: Any] {
                names.formUnion(group.keys.map { key + "." + $0 })
            } else {
                names.insert(key)
            }
        }
        #expect(names == Set(Setting.all.map(\.name)))
        for setting in Setting.all {
            #expect(setting.value(in: configuration) == setting.value(in: defaults), "\(setting.name)")
        }
    }

    @Test func `a variable overrides the file`() throws {
        let configuration = try load(
            #"{"port": 1, "limits": {"maximumBodyByteCount": 5}, "tlsKey": "a"}"#,
            environment: [
                "FOLDSERVE_PORT": "2", "FOLDSERVE_LIMITS_MAXIMUM_BODY_BYTE_COUNT": "7",
                "FOLDSERVE_DRAIN_TIMEOUT_SECONDS": "1.5", "FOLDSERVE_TLS_KEY": "", "PATH": "/bin",
            ])
        #expect(configuration.port == 2)
        #expect(configuration.limits.maximumBodyByteCount == 7)
        #expect(configuration.drainTimeoutSeconds == 1.5)
        #expect(configuration.tlsKey == nil)
    }

    @Test func `every variable's name is its setting's in capitals`() {
        let names = Dictionary(uniqueKeysWithValues: Setting.all.map { ($0.name, $0.variableName) })
        #expect(names["models"] == "FOLDSERVE_MODELS")
        #expect(names["tlsCertificate"] == "FOLDSERVE_TLS_CERTIFICATE")
        #expect(names["limits.streamResetsPerSecond"] == "FOLDSERVE_LIMITS_STREAM_RESETS_PER_SECOND")
    }

    @Test func `an unknown name gets its nearest neighbour`() {
        #expect(message(#"{"prot": 1}"#).contains("did you mean 'port'"))
        #expect(message(#"{"limits": {"maximumBodyBytes": 1}}"#).contains("'limits.maximumBodyByteCount'"))
        #expect(message(environment: ["FOLDSERVE_PROT": "1"]).contains("'FOLDSERVE_PORT'"))
    }

    static let wrongValues: [(text: String, message: String)] = [
        (#"{"port": 65536}"#, "setting 'port' is 65536, expected an integer from 0 to 65535"),
        (#"{"port": 1.5}"#, "setting 'port' is 1.5"),
        (#"{"port": true}"#, "setting 'port' is true"),
        (#"{"port": null}"#, "setting 'port' is null"),
        (#"{"host": 1}"#, "setting 'host' is 1, expected a string"),
        (#"{"logLevel": "loud"}"#, "expected one of trace, debug, info"),
        (#"{"limits": 1}"#, "unknown setting 'limits'"),
        (#"{"limits": {"idleTimeoutSeconds": 0}}"#, "expected seconds above 0"),
        (#"{"limits": {"maximumBodyByteCount": 0}}"#, "expected an integer from 1"),
        ("[]", "not a JSON object of settings"),
        ("{", "not a JSON object of settings"),
    ]

    @Test(arguments: wrongValues.indices) func `a wrong value says what was expected`(_ index: Int) {
        let (text, expected) = Self.wrongValues[index]
        #expect(message(text).contains(expected), "\(message(text))")
    }

    @Test func `everything that is wrong is told, in the file, in variables and in flags`() throws {
        let path = NSTemporaryDirectory() + "configuration-\(UUID().uuidString).json"
        let text =
            #"{"prot": 1, "host": [1], "limits": {"idleTimeoutSeconds": 0, "bodyTimeoutSecond": {"b": 1}}, "port": 5, "tlsKey": "k"}"#
        _ = FileManager.default.createFile(atPath: path, contents: Data(text.utf8))
        defer { try? FileManager.default.removeItem(atPath: path) }
        let (configuration, errors) = ConfigurationLoader(
            environment: ["FOLDSERVE_THREADS": "many", "FOLDSERVE_THREDS": "1", "FOLDSERVE_EVENT_LOOPS": "2"]
        ).collect(
            path: path,
            flags: [("logLevel", "--log-level", "loud"), ("queueCapacity", "--queue-capacity", "7")])
        #expect(
            errors.map { $0.description.replacing(path + ": ", with: "") } == [
                "setting 'host' is a list or an object, expected a string",
                "unknown setting 'limits.bodyTimeoutSecond'; did you mean 'limits.bodyTimeoutSeconds'?",
                "setting 'limits.idleTimeoutSeconds' is 0, expected seconds above 0, up to 86400",
                "unknown setting 'prot'; did you mean 'port'?",
                "setting 'FOLDSERVE_THREADS' is 'many', expected an integer from 0 to 1024",
                "unknown environment variable 'FOLDSERVE_THREDS'; did you mean 'FOLDSERVE_THREADS'?",
                "setting '--log-level' is 'loud', expected one of trace, debug, info, notice, warning, error, "
                    + "critical",
                "setting 'tlsKey' needs 'tlsCertificate' too",
            ])
        // What is right counts all the same.
        #expect(configuration.port == 5 && configuration.eventLoops == 2 && configuration.queueCapacity == 7)
    }

    @Test func `a missing file is named`() {
        #expect(throws: ConfigurationError.file(path: "/nowhere.json", reason: "No such file or directory")) {
            try ConfigurationLoader(environment: [:]).load(path: "/nowhere.json")
        }
    }
}
