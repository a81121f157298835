import Logging
import ModelServing

/// What endpoints work with.
package struct ServingServices: Sendable {
    package let repository: ModelRepository
    package let scheduler: InferenceScheduler
    /// Reads large bodies.
    package let codecWorkers: WorkerQueue
    /// Measures folds and describes graphs.
    package let backgroundWorkers: WorkerQueue
    package let limits: APILimits
    package let clock: MonotonicClock
    /// What compressed bodies have expanded to.
    package let expandedBytes: ByteBudget
    /// Who may ask what; `nil` lets everyone ask everything.
    package var access: AccessPolicy?
    package let observability: Observability
    /// Gets a line for each request that fails.
    package let logger: Logger
    /// The server's own version.
    package let serverVersion: String

    package init(
        repository: ModelRepository, scheduler: InferenceScheduler, codecWorkers: WorkerQueue,
        backgroundWorkers: WorkerQueue, limits: APILimits = APILimits(),
        clock: MonotonicClock = .system, access: AccessPolicy? = nil,
        observability: Observability = Observability(),
        logger: Logger = Logger(label: "foldserve") { _ in SwiftLogNoOpLogHandler() }, serverVersion: String
    ) {
        self.repository = repository
        self.scheduler = scheduler
        self.codecWorkers = codecWorkers
        self.backgroundWorkers = backgroundWorkers
        self.limits = limits
        self.clock = clock
        expandedBytes = ByteBudget(limit: limits.maximumExpandedByteCountOfAll)
        self.access = access
        self.observability = observability
        self.logger = logger
        self.serverVersion = serverVersion
    }
}
