import Execution
import Graph

/// SHA-256 of a model's graph and of the folded one, weights included, in hexadecimal.
package struct ModelDigests: Sendable, Equatable {
    package let model: String
    package let fold: String

    package init(model: String, fold: String) {
        (self.model, self.fold) = (model, fold)
    }
}

/// One version of a model, ready to run.
package final class LoadedModel: Sendable {
    package let name: String
    package let version: String
    package let platform: String
    package let interface: ModelInterface
    package let description: ModelDescription
    /// As the file has it; its weights lie in the mapped file.
    package let original: Graph
    package let executable: Executable
    package let statistics = ModelStatistics()
    package let sessions: SessionPool
    package let loadSeconds: Double
    /// `nil` where nobody wants them.
    package let digests: ModelDigests?
    /// The weights that the network reads, packed or as they are.
    package let weightByteCount: Int
    /// The files that it was read from.
    package let files: VersionFiles
    let queue: InferenceQueue

    init(
        name: String, version: String, platform: String, interface: ModelInterface,
        description: ModelDescription, original: Graph, executable: Executable,
        sessions: SessionPool, allowsNarrowRuns: Bool, loadSeconds: Double, files: VersionFiles,
        digests: ModelDigests? = nil
    ) {
        self.name = name
        self.version = version
        self.platform = platform
        self.interface = interface
        self.description = description
        self.original = original
        self.executable = executable
        self.sessions = sessions
        self.loadSeconds = loadSeconds
        self.digests = digests
        weightByteCount = executable.weightByteCount
        self.files = files
        queue = InferenceQueue(allowsNarrowRuns: allowsNarrowRuns)
    }

    /// Folds and proves the model again: the folded weights are not kept, for the network runs on packed ones.
    package func foldedAgain() throws(GraphError) -> ProvenFold { try ProvenFold(original) }
}
