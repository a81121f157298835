import Execution
import FoundationEssentials
import Glibc
import Graph
import Logging
import ModelFormats
import ModelServing
import Tensors
import TestSupport
import Testing
import Threads

@Suite struct FoldCacheTests {
    private let folder = TemporaryFolder()
    private let models = TemporaryFolder()
    private let log = RecordedLog()

    private func cache(binary: String = "/proc/self/exe") throws -> FoldCache {
        try #require(
            FoldCache(folder: folder.path + "/cache", binary: binary, threadCount: 2, logger: log.logger))
    }

    /// Serves `scale` times x + 1 and gives y for x = (1, 2).
    private func prediction(scale: String, _ cache: FoldCache?) throws -> Tensor {
        models.write(scale, to: "m/1/model.onnx")
        let loader = ModelLoader(
            fileNames: ["model.onnx"], workers: WorkerPool(threadCount: 1), clock: .system, cache: cache
        ) { (folder) throws(ModelError) in try TestModels.read(folder) }
        let model = try TestModels.loaded(models, loader: loader).model(named: "m").resolve("1")
        return try #require(model.sessions.run(["x": TestModels.tensor([1, 2], [1, 2])])["y"])
    }

    private var entries: [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: folder.path + "/cache")) ?? []).sorted()
    }

    private func values(_ tensor: Tensor) throws -> [Float] { try tensor.elements(as: Float.self) }

    @Test func `the second load takes what the first has stored, and computes the same`() throws {
        let first = try prediction(scale: "3", cache())
        #expect(log.messages == ["fold cached"])
        let second = try prediction(scale: "3", cache())
        #expect(log.messages == ["fold cached", "cached fold used"])
        #expect(try values(first) == [4, 7] && values(second) == [4, 7])
        #expect(entries.count == 1)
    }

    @Test func `another model, or another binary, finds nothing`() throws {
        #expect(try values(prediction(scale: "3", cache())) == [4, 7])
        #expect(try values(prediction(scale: "5", cache())) == [6, 11])
        #expect(try values(prediction(scale: "3", cache(binary: "/proc/self/cmdline"))) == [4, 7])
        #expect(log.messages == ["fold cached", "fold cached", "fold cached"])
        #expect(entries.count == 3)
    }

    enum Damage: CaseIterable {
        case cut, empty, number, folder
    }

    @Test(arguments: Damage.allCases)
    func `a damaged entry counts as none and is replaced`(_ damage: Damage) throws {
        #expect(try values(prediction(scale: "3", cache())) == [4, 7])
        let name = try #require(entries.first)
        let path = folder.path + "/cache/" + name
        var bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
        switch damage {
        case .cut: bytes.removeLast(9)
        case .empty: bytes = []
        case .number:
            // The scale 3 becomes another number: the file is as readable as before.
            let three = withUnsafeBytes(of: 3.0) { Array($0) }
            let start = try #require(
                bytes.indices.dropLast(8).first { Array(bytes[$0..<$0 + 8]) == three })
            bytes[start + 6] ^= 1
        case .folder: break
        }
        unlink(path)
        if damage == .folder {
            mkdir(path, 0o777)
        } else {
            try Data(bytes).write(to: URL(fileURLWithPath: path))
        }
        #expect(try values(prediction(scale: "3", cache())) == [4, 7])
        #expect(log.messages.dropFirst().first == "cached fold not used")
        #expect(log.messages.last == (damage == .folder ? "fold not cached" : "fold cached"))
        guard damage != .folder else { return }
        #expect(try values(prediction(scale: "3", cache())) == [4, 7])
        #expect(log.messages.last == "cached fold used")
    }

    @Test func `a folder that cannot be written is no error`() throws {
        folder.write("a file", to: "cache")
        #expect(try values(prediction(scale: "3", cache())) == [4, 7])
        #expect(log.messages == ["fold not cached"])
    }

    @Test func `entries that nobody used for long go, the files of others stay`() throws {
        #expect(try values(prediction(scale: "3", cache())) == [4, 7])
        let old = try #require(entries.first)
        let digests = String(repeating: "ab", count: 32) + "-" + String(repeating: "cd", count: 32)
        folder.write("", to: "cache/\(digests).onnx.77.0.partial")
        folder.write("", to: "cache/model.onnx")
        for name in entries { age(name, seconds: 31 * 24 * 60 * 60) }
        #expect(try values(prediction(scale: "5", cache())) == [6, 11])
        #expect(!entries.contains(old))
        #expect(entries.count == 2 && entries.contains("model.onnx"))
    }

    @Test func `a use counts, and a month has thirty days`() throws {
        #expect(try values(prediction(scale: "3", cache())) == [4, 7])
        let name = try #require(entries.first)
        age(name, seconds: 31 * 24 * 60 * 60)
        #expect(try values(prediction(scale: "3", cache())) == [4, 7])
        #expect(try values(prediction(scale: "5", cache())) == [6, 11])
        #expect(entries.contains(name) && entries.count == 2)
        age(name, seconds: 29 * 24 * 60 * 60)
        #expect(try values(prediction(scale: "7", cache())) == [8, 15])
        #expect(entries.contains(name) && entries.count == 3)
    }

    private func age(_ name: String, seconds: Int) {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        now.tv_sec -= seconds
        utimensat(AT_FDCWD, folder.path + "/cache/" + name, [now, now], 0)
    }
}

/// What was logged, the texts alone.
private struct RecordedLog {
    private let lines = Lock([String]())

    var messages: [String] { lines.withLock { $0 } }

    var logger: Logger { Logger(label: "test") { [lines] _ in Handler(lines: lines) } }

    private struct Handler: LogHandler {
        let lines: Lock<[String]>
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.debug

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            lines.withLock { $0.append(event.message.description) }
        }
    }
}
