import Glibc
import Graph
import Logging
import ModelFormats

/// Folded graphs in a folder that outlives the process, so that the next start of the same binary with the same model
/// neither folds nor proves again.
///
/// An entry is an ONNX file with Graph's own operators, called by the digest of model and binary and that of the graph in
/// it. One that cannot be read, or is not what its name says, counts as none; so does a folder that cannot be written.
package struct FoldCache: Sendable {
    private let folder: String
    private let binary: SHA256
    private let logger: Logger

    /// Entries that no start has used for so long are removed when one is written: 30 days.
    static let maximumIdleSeconds = 30 * 24 * 60 * 60

    /// Makes the folder if it is not there. `nil`, with a warning: the `binary` that runs cannot be read, so that nothing
    /// tells its entries from another's.
    package init?(folder: String, binary: String = "/proc/self/exe", threadCount: Int, logger: Logger) {
        do {
            self.binary = try SHA256.ofPieces(file: binary, threadCount: threadCount)
        } catch {
            logger.warning("no fold is cached", metadata: ["reason": "\(error)"])
            return nil
        }
        self.folder = folder
        self.logger = logger
        mkdir(folder, 0o777)
    }

    /// What was stored for a model, with the digest of it; names of inputs and outputs, and what is known of them, are
    /// those of `original`.
    func graph(
        ofModel digest: String, like original: Graph, threadCount: Int
    ) -> (graph: Graph, digest: String)? {
        let prefix = key(ofModel: digest) + "-"
        guard let name = names().first(where: { $0.hasPrefix(prefix) && $0.hasSuffix(Self.suffix) }) else {
            return nil
        }
        let path = folder + "/" + name
        let expected = String(name.dropFirst(prefix.count).dropLast(Self.suffix.count))
        var graph: Graph
        do {
            graph = try ONNXFormat(readsOwnOperators: true).load(path: path)
        } catch {
            logger.warning("cached fold not used", metadata: ["reason": "\(error)"])
            return nil
        }
        // Neither is a fold's to change, and a file says less of them.
        (graph.inputs, graph.outputs) = (original.inputs, original.outputs)
        guard GraphDigest.text(graph, threadCount: threadCount) == expected else {
            logger.warning(
                "cached fold not used", metadata: ["reason": "\(path): not the graph that was written"])
            return nil
        }
        // The time of its last use.
        utimensat(AT_FDCWD, path, nil, 0)
        logger.debug("cached fold used", metadata: ["file": "\(path)"])
        return (graph, expected)
    }

    /// Writes a folded graph for the next start; what keeps it from being written is logged.
    func store(_ graph: Graph, _ digests: ModelDigests) {
        let key = key(ofModel: digests.model)
        let path = "\(folder)/\(key)-\(digests.fold)\(Self.suffix)"
        removeIdle(except: key)
        do {
            // What a power failure tears is told by the digest.
            try ONNXWriter(keepsOwnOperators: true).write(graph, to: path, isDurable: false)
            logger.debug("fold cached", metadata: ["file": "\(path)"])
        } catch {
            logger.warning("fold not cached", metadata: ["reason": "\(error)"])
        }
    }

    private static let suffix = ".onnx"

    private func key(ofModel digest: String) -> String { SHA256(binary.bytes + digest.utf8).text }

    private func names() -> [String] { (try? FileSystem.entries(of: folder)) ?? [] }

    /// Removes entries that were not used for long, unfinished ones among them, and those that `key` has already.
    private func removeIdle(except key: String) {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        for name in names() where Self.isEntry(name) {
            let path = folder + "/" + name
            guard let identity = FileIdentity(path: path) else { continue }
            let isReplaced = name.hasPrefix(key) && name.hasSuffix(Self.suffix)
            if isReplaced || now.tv_sec - identity.modifiedSeconds > Self.maximumIdleSeconds { unlink(path) }
        }
    }

    /// Whether a file is called as one of ours, or as one of ours that was not finished: others are left alone.
    private static func isEntry(_ name: String) -> Bool {
        let digests = name.prefix { $0 != "." }.split(separator: "-", omittingEmptySubsequences: false)
        return digests.count == 2
            && digests.allSatisfy { $0.utf8.count == 64 && $0.allSatisfy(\.isHexDigit) }
            && name.dropFirst(129).hasPrefix(suffix)
    }
}
