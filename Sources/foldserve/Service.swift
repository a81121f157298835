import Execution
import HTTPServer
import Logging
import ModelFormats
import ModelServing
import ServingAPI
import Tensors

extension Configuration {
    /// What of it is the HTTP server's.
    var server: ServerConfiguration {
        var configuration = ServerConfiguration(
            host: host, port: port, loopCount: eventLoops, limits: limits)
        if let certificatePath = tlsCertificate, let keyPath = tlsKey {
            configuration.tls = TLSConfiguration(certificatePath: certificatePath, keyPath: keyPath)
        }
        return configuration
    }

    var batchPolicy: BatchPolicy {
        BatchPolicy(
            maximumItemCount: batching.maxBatchSize,
            queueDelayMicroseconds: UInt64(batching.maxQueueDelayMicroseconds))
    }

    /// The same for the admin listener.
    var adminServer: ServerConfiguration {
        var configuration = server
        configuration.host = admin.host
        configuration.port = admin.port
        configuration.loopCount = 1
        return configuration
    }
}

/// The parts of a running server, put together.
struct Service {
    private let settings: Configuration
    private let repository: ModelRepository
    private let scheduler: InferenceScheduler
    private let codecWorkers: WorkerQueue
    private let backgroundWorkers: WorkerQueue
    private let server: Server
    private let adminServer: Server?
    private let watcher: FileWatcher

    /// Bodies that wait to be read, and measurements that wait to be made; past it 503.
    private static let queuedWorkLimit = 256

    /// Reads the repository's names and binds the port; nothing is loaded or accepted yet.
    init(settings: Configuration, logger: Logger) throws {
        self.settings = settings
        MappedFile.surviveCutFiles()
        let clock = MonotonicClock.system
        let threadCount = settings.threads == 0 ? ThreadCount.available : settings.threads
        let loader = ModelLoader(
            FormatCatalog.standard, threadsPerSession: threadCount, clock: clock,
            options: ExecutionOptions(usesWinograd: settings.engine.winograd), batching: settings.batchPolicy,
            makesDigests: settings.modelDigests,
            cache: settings.cacheDir.flatMap {
                FoldCache(folder: $0, threadCount: threadCount, logger: logger)
            })
        do {
            repository = try ModelRepository(
                folder: settings.models, loader: loader, logger: logger,
                configuration: Self.repositoryConfiguration(settings))
        } catch {
            throw CommandFailure.usage("the model repository cannot be read: \(error)")
        }
        scheduler = InferenceScheduler(Self.scheduling(settings, threadCount: threadCount), clock: clock)
        codecWorkers = WorkerQueue(name: "codec", threadCount: 1, limit: Self.queuedWorkLimit)
        backgroundWorkers = WorkerQueue(name: "background", threadCount: 1, limit: Self.queuedWorkLimit)
        var limits = APILimits()
        limits.maximumExpandedByteCount = settings.limits.maximumBodyByteCount
        var observability = Observability()
        observability.hasTritonNames = settings.metrics.tritonNames
        observability.hasServerTiming = settings.serverTiming
        let access = try Self.policy(settings.access.tokenFile)
        let adminAccess = try Self.policy(settings.admin.tokenFile)
        let services = ServingServices(
            repository: repository, scheduler: scheduler, codecWorkers: codecWorkers,
            backgroundWorkers: backgroundWorkers, limits: limits, access: access,
            observability: observability, logger: logger, serverVersion: Version.text)
        let handler = ServingHandler(services, clock: clock)
        do {
            server = try Server(configuration: settings.server, handler: handler, logger: logger)
            if let adminAccess {
                adminServer = try Server(
                    configuration: settings.adminServer,
                    handler: handler.admin(services, access: adminAccess), logger: logger)
            } else {
                adminServer = nil
            }
        } catch {
            throw CommandFailure.usage(error.description)
        }
        watcher = Self.watcher(
            settings, servers: [server] + (adminServer.map { [$0] } ?? []),
            policies: [access, adminAccess].compactMap { $0 }, logger: logger)
    }

    private static func scheduling(
        _ settings: Configuration, threadCount: Int
    ) -> InferenceScheduler.Configuration {
        InferenceScheduler.Configuration(
            // While one worker computes with all threads, another writes the answers of the run before.
            runLimit: 1, threadCount: threadCount, workerCount: max(2, threadCount),
            queueLimit: settings.queueCapacity, totalQueueLimit: settings.totalQueueCapacity,
            maximumWaitNanoseconds: UInt64(settings.maximumWaitSeconds * 1e9),
            batching: settings.batchPolicy)
    }

    private static func repositoryConfiguration(_ settings: Configuration) -> RepositoryConfiguration {
        var configuration = RepositoryConfiguration()
        configuration.mode = RepositoryConfiguration.Mode(rawValue: settings.repository.mode) ?? .static
        configuration.pollSeconds = settings.repository.pollSeconds
        configuration.modelsAtStart = settings.repository.loadAtStart.split(separator: ",").map { name in
            String(name.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
        }
        return configuration
    }

    private static func policy(_ path: String?) throws -> AccessPolicy? {
        guard let path else { return nil }
        do {
            return try AccessPolicy(path: path)
        } catch {
            throw CommandFailure.usage(error.reason)
        }
    }

    /// Reads certificates and tokens again when their files change; what cannot be used is logged, and nothing changes.
    private static func watcher(
        _ settings: Configuration, servers: [Server], policies: [AccessPolicy], logger: Logger
    ) -> FileWatcher {
        var groups: [(paths: [String], reload: @Sendable () -> Void)] = []
        if let certificatePath = settings.tlsCertificate, let keyPath = settings.tlsKey {
            groups.append(
                ([certificatePath, keyPath], { reload(servers, certificatePath, logger) }))
        }
        for policy in policies {
            groups.append(([policy.path], { reload(policy, logger) }))
        }
        return FileWatcher(groups)
    }

    private static func reload(_ servers: [Server], _ path: String, _ logger: Logger) {
        do {
            for server in servers { try server.reloadCertificate() }
            logger.info("certificate read again", metadata: ["path": "\(path)"])
        } catch {
            logger.error(
                "certificate not replaced; the one before stays", metadata: ["reason": "\(error)"])
        }
    }

    private static func reload(_ policy: AccessPolicy, _ logger: Logger) {
        do {
            try policy.reload()
            logger.info("tokens read again", metadata: ["path": "\(policy.path)"])
        } catch {
            logger.error(
                "tokens not replaced; those before stay", metadata: ["reason": "\(error.reason)"])
        }
    }

    var url: String { url(host: settings.host, server) }

    /// Where the admin listener is, if there is one.
    var adminURL: String? { adminServer.map { url(host: settings.admin.host, $0) } }

    private func url(host: String, _ server: Server) -> String {
        "\(settings.tlsCertificate == nil ? "http" : "https")://"
            + "\(host.contains(":") ? "[\(host)]" : host):\(server.port)"
    }

    /// Reads again what lies on the disk, now.
    func reload() {
        watcher.lookNow()
        repository.scanSoon()
    }

    /// Begins to accept and to load: a server is live at once, and ready when every model is.
    func start() {
        repository.start()
        server.start()
        adminServer?.start()
        watcher.start()
    }

    /// Answers what was accepted, then ends every thread.
    func shutdown() {
        watcher.stop()
        repository.stop()
        server.shutdown(drainTimeoutSeconds: settings.drainTimeoutSeconds)
        adminServer?.shutdown(drainTimeoutSeconds: settings.drainTimeoutSeconds)
        scheduler.stop()
        codecWorkers.stop()
        backgroundWorkers.stop()
    }
}
