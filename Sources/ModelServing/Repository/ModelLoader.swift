import Execution
import Folding
import Graph
import ModelFormats
import Tensors

/// Turns a model file into a model that is ready to run: read, fold, prove, compile, check against golden outputs.
package struct ModelLoader: Sendable {
    /// The files of which a version's folder must hold one.
    package let fileNames: [String]
    private let read: @Sendable (String) throws(ModelError) -> (graph: Graph, platform: String)
    private let workers: WorkerPool
    private let clock: MonotonicClock
    private let options: ExecutionOptions
    private let makesDigests: Bool

    /// `read` gets a version's folder; all models' sessions share the threads of `workers`.
    package init(
        fileNames: [String], workers: WorkerPool, clock: MonotonicClock,
        options: ExecutionOptions = ExecutionOptions(), makesDigests: Bool = true,
        read: @escaping @Sendable (String) throws(ModelError) -> (graph: Graph, platform: String)
    ) {
        self.fileNames = fileNames
        self.workers = workers
        self.clock = clock
        self.options = options
        self.makesDigests = makesDigests
        self.read = read
    }

    /// Each run may use `threadsPerSession` threads, its own included; runs at once share them.
    package init(
        _ catalog: FormatCatalog, threadsPerSession: Int, clock: MonotonicClock,
        options: ExecutionOptions = ExecutionOptions(), makesDigests: Bool = true
    ) {
        self.init(
            fileNames: catalog.formats.map(\.fileName), workers: WorkerPool(threadCount: threadsPerSession),
            clock: clock, options: options, makesDigests: makesDigests
        ) { (folder) throws(ModelError) in
            let (path, format) = try catalog.locate(folder)
            return (try format.load(path: path), "foldserve_" + format.name.lowercased())
        }
    }

    /// Loads the version in `folder`.
    package func load(
        name: String, version: String, folder: String, description: ModelDescription
    ) throws(RepositoryError) -> LoadedModel {
        let start = clock.nanoseconds()
        let (graph, platform): (Graph, String)
        do {
            (graph, platform) = try read(folder)
        } catch {
            throw .format(error)
        }
        var folded: Graph
        let report: FoldReport
        do {
            let proven = try ProvenFold(graph)
            (folded, report) = (proven.graph, proven.report)
        } catch {
            throw .graph(error)
        }
        let interface = try ModelInterface(folded)
        // Now, while the folded weights are there: the network runs on packed ones.
        let digests =
            makesDigests
            ? ModelDigests(model: GraphDigest.text(graph), fold: GraphDigest.text(folded)) : nil
        let executable: Executable
        do {
            executable = try Executable(consume folded, options: options)
        } catch {
            throw .execution(error)
        }
        let sessions = SessionPool(executable: executable, workers: workers)
        try checkGolden(folder + "/golden", interface, sessions, description.tolerance)
        return LoadedModel(
            name: name, version: version, platform: platform, interface: interface,
            description: description, original: graph, report: report, executable: executable,
            sessions: sessions, loadSeconds: Double(clock.nanoseconds() &- start) / 1e9, digests: digests)
    }

    private func checkGolden(
        _ folder: String, _ interface: ModelInterface, _ sessions: SessionPool, _ tolerance: Double
    ) throws(RepositoryError) {
        guard let golden = try GoldenCheck(folder: folder, interface: interface, tolerance: tolerance) else {
            return
        }
        let outputs: [String: Tensor]
        do {
            outputs = try sessions.run(golden.inputs)
        } catch {
            throw .execution(error)
        }
        try golden.compare(outputs)
    }
}
