import Execution
import Folding
import Graph
import ModelFormats
import Tensors

/// Turns a model file into a model that is ready to run: read, fold, prove, compile, check against golden outputs, warm
/// up.
package struct ModelLoader: Sendable {
    /// The files of which a version's folder must hold one.
    package let fileNames: [String]
    private let read: @Sendable (String) throws(ModelError) -> (graph: Graph, platform: String)
    private let workers: WorkerPool
    private let clock: MonotonicClock
    private let options: ExecutionOptions
    private let makesDigests: Bool
    private let availableMemory: @Sendable () -> Int?

    /// `read` gets a version's folder; all models' sessions share the threads of `workers`.
    package init(
        fileNames: [String], workers: WorkerPool, clock: MonotonicClock,
        options: ExecutionOptions = ExecutionOptions(), makesDigests: Bool = true,
        availableMemory: @escaping @Sendable () -> Int? = { MemoryLimit.available },
        read: @escaping @Sendable (String) throws(ModelError) -> (graph: Graph, platform: String)
    ) {
        self.fileNames = fileNames
        self.workers = workers
        self.clock = clock
        self.options = options
        self.makesDigests = makesDigests
        self.availableMemory = availableMemory
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

    /// Loads the version in `folder`, which holds `files`.
    package func load(
        name: String, version: String, folder: String, description: ModelDescription,
        files: VersionFiles
    ) throws(RepositoryError) -> LoadedModel {
        let start = clock.nanoseconds()
        try checkMemory(files)
        let (graph, platform): (Graph, String)
        do {
            (graph, platform) = try read(folder)
        } catch {
            throw .format(error)
        }
        // Golden vectors say what a network with such weights shall compute; without them nobody has.
        if !files.hasGoldenVectors, let weight = NonFiniteWeight.first(in: graph) {
            throw .weight(name: weight.name, index: weight.index)
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
        try warmUp(sessions, interface, executable.graph)
        return LoadedModel(
            name: name, version: version, platform: platform, interface: interface,
            description: description, original: graph, report: report, executable: executable,
            sessions: sessions, loadSeconds: Double(clock.nanoseconds() &- start) / 1e9, files: files,
            digests: digests)
    }

    /// Packed weights take about as much as the files, and layers run by Winograd's algorithm more; the arena comes on top.
    private static let memoryPercent = 125

    private func checkMemory(_ files: VersionFiles) throws(RepositoryError) {
        guard let available = availableMemory() else { return }
        let (product, overflow) = files.modelByteCount.multipliedReportingOverflow(by: Self.memoryPercent)
        let needed = overflow ? Int.max : product / 100
        guard needed <= available else { throw .memory(needed: needed, available: available) }
    }

    /// The largest input that a warm-up makes.
    private static let maximumWarmUpByteCount = 256 << 20

    /// Runs once with zeros, so that the first request finds memory and code in their places.
    ///
    /// Zeros need not suit a network, so one that cannot be computed for them is no failure; no memory is. Loops may go
    /// on for ever and extents other than the batch's may fit nothing: such networks start cold.
    private func warmUp(
        _ sessions: SessionPool, _ interface: ModelInterface, _ graph: Graph
    ) throws(RepositoryError) {
        guard !graph.nodes.contains(where: { $0.operation is any ControlFlowOperator }) else { return }
        var inputs: [String: Tensor] = [:]
        for port in interface.inputs where !port.isOptional {
            guard port.dimensions.dropFirst().allSatisfy({ $0 != nil }),
                let shape = try? Shape(port.dimensions.map { $0 ?? 1 }),
                shape.count <= Self.maximumWarmUpByteCount / port.elementType.byteCount
            else { return }
            inputs[port.name] = Tensor(elementType: port.elementType, shape: shape) { _ in }
        }
        do {
            _ = try sessions.run(inputs)
        } catch .outOfMemory(let byteCount) {
            throw .execution(.outOfMemory(byteCount: byteCount))
        } catch {}
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
