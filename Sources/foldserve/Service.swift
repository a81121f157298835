import Execution
import HTTPServer
import Logging
import ModelFormats
import ModelServing
import ServingAPI

/// The parts of a running server, put together.
struct Service {
    private let settings: Configuration
    private let repository: ModelRepository
    private let scheduler: InferenceScheduler
    private let codecWorkers: WorkerQueue
    private let backgroundWorkers: WorkerQueue
    private let server: Server

    /// Bodies that wait to be read, and measurements that wait to be made; past it 503.
    private static let queuedWorkLimit = 256

    /// Reads the repository's names and binds the port; nothing is loaded or accepted yet.
    init(settings: Configuration, logger: Logger) throws {
        self.settings = settings
        let clock = MonotonicClock.system
        let threadCount = settings.threads == 0 ? ThreadCount.available : settings.threads
        let loader = ModelLoader(
            FormatCatalog.standard, threadsPerSession: threadCount, clock: clock,
            options: ExecutionOptions(usesWinograd: settings.engine.winograd),
            makesDigests: settings.modelDigests)
        do {
            repository = try ModelRepository(folder: settings.models, loader: loader, logger: logger)
        } catch {
            throw CommandFailure.usage("the model repository cannot be read: \(error)")
        }
        scheduler = InferenceScheduler(
            Self.scheduling(settings),
            clock: clock)
        codecWorkers = WorkerQueue(name: "codec", threadCount: 1, limit: Self.queuedWorkLimit)
        backgroundWorkers = WorkerQueue(name: "background", threadCount: 1, limit: Self.queuedWorkLimit)
        var limits = APILimits()
        limits.maximumExpandedByteCount = settings.limits.maximumBodyByteCount
        var observability = Observability()
        observability.hasTritonNames = settings.metrics.tritonNames
        observability.hasServerTiming = settings.serverTiming
        let handler = ServingHandler(
            ServingServices(
                repository: repository, scheduler: scheduler, codecWorkers: codecWorkers,
                backgroundWorkers: backgroundWorkers, limits: limits, observability: observability,
                logger: logger, serverVersion: Version.text),
            clock: clock)
        var configuration = ServerConfiguration(
            host: settings.host, port: settings.port, loopCount: settings.eventLoops, limits: settings.limits)
        if let certificatePath = settings.tlsCertificate, let keyPath = settings.tlsKey {
            configuration.tls = TLSConfiguration(certificatePath: certificatePath, keyPath: keyPath)
        }
        do {
            server = try Server(configuration: configuration, handler: handler, logger: logger)
        } catch {
            throw CommandFailure.usage(error.description)
        }
    }

    private static func scheduling(_ settings: Configuration) -> InferenceScheduler.Configuration {
        InferenceScheduler.Configuration(
            // One batch at a time has all threads; meanwhile another worker writes the answers of the last.
            runLimit: 1, workerCount: 2,
            queueLimit: settings.queueCapacity, totalQueueLimit: settings.totalQueueCapacity,
            maximumWaitNanoseconds: UInt64(settings.maximumWaitSeconds * 1e9),
            batching: BatchPolicy(
                maximumItemCount: settings.batching.maxBatchSize,
                queueDelayMicroseconds: UInt64(settings.batching.maxQueueDelayMicroseconds)))
    }

    var url: String {
        let host = settings.host.contains(":") ? "[\(settings.host)]" : settings.host
        return "\(settings.tlsCertificate == nil ? "http" : "https")://\(host):\(server.port)"
    }

    /// Begins to accept and to load: a server is live at once, and ready when every model is.
    func start() {
        server.start()
        repository.start()
    }

    /// Answers what was accepted, then ends every thread.
    func shutdown() {
        server.shutdown(drainTimeoutSeconds: settings.drainTimeoutSeconds)
        scheduler.stop()
        codecWorkers.stop()
        backgroundWorkers.stop()
    }
}
