import Execution
import Folding
import Graph
import ModelFormats
import Tensors
import Threads

/// Turns a model file into a model that is ready to run: read, fold, prove, compile, check against golden outputs, warm
/// up.
package struct ModelLoader: Sendable {
    /// The files of which a version's folder must hold one.
    package let fileNames: [String]
    private let read: @Sendable (String) throws(ModelError) -> (graph: Graph, platform: String)
    private let workers: WorkerPool
    private let clock: MonotonicClock
    private let options: ExecutionOptions
    private let batching: BatchPolicy
    private let makesDigests: Bool
    private let cache: FoldCache?
    private let availableMemory: @Sendable () -> Int?

    /// `read` gets a version's folder; all models' sessions share the threads of `workers`. `batching` is that of the
    /// scheduler.
    package init(
        fileNames: [String], workers: WorkerPool, clock: MonotonicClock,
        options: ExecutionOptions = ExecutionOptions(), batching: BatchPolicy = BatchPolicy(),
        makesDigests: Bool = true, cache: FoldCache? = nil,
        availableMemory: @escaping @Sendable () -> Int? = { MemoryLimit.available },
        read: @escaping @Sendable (String) throws(ModelError) -> (graph: Graph, platform: String)
    ) {
        self.fileNames = fileNames
        self.workers = workers
        self.clock = clock
        self.options = options
        self.batching = batching
        self.makesDigests = makesDigests
        self.cache = cache
        self.availableMemory = availableMemory
        self.read = read
    }

    /// Each run may use `threadsPerSession` threads, its own included; runs at once share them.
    package init(
        _ catalog: FormatCatalog, threadsPerSession: Int, clock: MonotonicClock,
        options: ExecutionOptions = ExecutionOptions(), batching: BatchPolicy = BatchPolicy(),
        makesDigests: Bool = true, cache: FoldCache? = nil
    ) {
        self.init(
            fileNames: catalog.formats.map(\.fileName), workers: WorkerPool(threadCount: threadsPerSession),
            clock: clock, options: options, batching: batching, makesDigests: makesDigests, cache: cache
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
        let available = availableMemory()
        let weightByteCount = Self.weightByteCount(files)
        try Self.check(weightByteCount, available)
        let (graph, platform): (Graph, String)
        do {
            (graph, platform) = try read(folder)
        } catch {
            throw .format(error)
        }
        let (folded, digests) = try fold(graph, files)
        let interface = try ModelInterface(folded)
        let executable: Executable
        do {
            executable = try Executable(consume folded, options: options, packing: workers.packing)
        } catch {
            throw .execution(error)
        }
        // The largest batch says what a run takes; the warm-up's schedule, where it is another, is made beside it.
        let policy = batching.overridden(by: description)
        let isBatched = executable.batchObstacle == nil && policy.maximumItemCount > 1
        let (runByteCount, _) = ConcurrentPair.results(threadCount: isBatched ? workers.threadCount : 1) {
            self.runByteCount(
                executable, interface, itemCounts: isBatched ? [policy.maximumItemCount, 1] : [1])
        } _: {
            isBatched ? self.runByteCount(executable, interface, itemCounts: [1]) : nil
        }
        try Self.check(weightByteCount + (runByteCount ?? 0), available)
        let sessions = SessionPool(executable: executable, workers: workers)
        try checkGolden(folder + "/golden", interface, sessions, description.tolerance)
        try warmUp(sessions, interface, executable.graph)
        // On one thread a run takes no more than on all of them.
        let allowsNarrowRuns =
            runByteCount.map { $0 * workers.threadCount <= (available ?? .max) - weightByteCount } ?? false
        return LoadedModel(
            name: name, version: version, platform: platform, interface: interface,
            description: description, original: graph, executable: executable,
            sessions: sessions, allowsNarrowRuns: allowsNarrowRuns,
            loadSeconds: Double(clock.nanoseconds() &- start) / 1e9, files: files, digests: digests)
    }

    /// The graph to run, from the cache or folded and proven here; the digests where somebody wants them.
    private func fold(
        _ graph: Graph, _ files: VersionFiles
    ) throws(RepositoryError) -> (folded: Graph, digests: ModelDigests?) {
        let threadCount = workers.threadCount
        let known = cache == nil ? nil : GraphDigest.text(graph, threadCount: threadCount)
        if let cache, let known,
            let found = cache.graph(ofModel: known, like: graph, threadCount: threadCount)
        {
            return (found.graph, ModelDigests(model: known, fold: found.digest))
        }
        let makesDigests = makesDigests || cache != nil
        // Golden vectors say what a network with such weights shall compute; without them nobody has.
        let looksThrough = !files.hasGoldenVectors || cache != nil
        let (proven, beside) = ConcurrentPair.results(threadCount: threadCount) {
            Result { () throws(GraphError) in
                try ProvenFold(graph, threadCount: threadCount, makesDigest: makesDigests)
            }
        } _: {
            (
                weight: looksThrough ? NonFiniteWeight.first(in: graph) : nil,
                digest: makesDigests ? known ?? GraphDigest.text(graph) : nil
            )
        }
        if let weight = beside.weight, !files.hasGoldenVectors {
            throw .weight(name: weight.name, index: weight.index)
        }
        let fold: ProvenFold
        do {
            fold = try proven.get()
        } catch {
            throw .graph(error)
        }
        guard let modelDigest = beside.digest, let foldDigest = fold.digest else { return (fold.graph, nil) }
        let digests = ModelDigests(model: modelDigest, fold: foldDigest)
        // What was read is what was digested only if nobody has written the files meanwhile.
        if beside.weight == nil, files.areIntact { cache?.store(fold.graph, digests) }
        return (fold.graph, digests)
    }

    /// Packed weights take about as much as the files, and layers run by Winograd's algorithm more.
    private static let weightPercent = 125
    /// No file is as large.
    private static let maximumWeightByteCount = 1 << 60

    private static func weightByteCount(_ files: VersionFiles) -> Int {
        let (product, overflow) = files.modelByteCount.multipliedReportingOverflow(by: weightPercent)
        return overflow ? maximumWeightByteCount : min(product / 100, maximumWeightByteCount)
    }

    private static func check(_ needed: Int, _ available: Int?) throws(RepositoryError) {
        guard let available, needed > available else { return }
        throw .memory(needed: needed, available: available)
    }

    /// What the first of these batches takes that can be computed; `nil` where shapes are open or depend on data.
    private func runByteCount(
        _ executable: Executable, _ interface: ModelInterface, itemCounts: [Int]
    ) -> Int? {
        for itemCount in itemCounts {
            guard let shapes = interface.shapes(itemCount: itemCount) else { return nil }
            // A batch that is larger than a run may be fails, and its requests run one by one.
            if let needed = try? executable.runByteCount(shapes, threadCount: workers.threadCount) {
                return needed
            }
        }
        return nil
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
        guard !graph.nodes.contains(where: { $0.operation.controlFlow != nil }) else { return }
        var inputs: [String: Tensor] = [:]
        guard let shapes = interface.shapes(itemCount: 1) else { return }
        for port in interface.inputs {
            guard let shape = shapes[port.name] else { continue }
            guard shape.count <= Self.maximumWarmUpByteCount / port.elementType.byteCount else { return }
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
