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
    package let access: AccessPolicy?
    /// The server's own version.
    package let serverVersion: String

    package init(
        repository: ModelRepository, scheduler: InferenceScheduler, codecWorkers: WorkerQueue,
        backgroundWorkers: WorkerQueue, limits: APILimits = APILimits(),
        clock: MonotonicClock = .system, access: AccessPolicy? = nil, serverVersion: String
    ) {
        self.repository = repository
        self.scheduler = scheduler
        self.codecWorkers = codecWorkers
        self.backgroundWorkers = backgroundWorkers
        self.limits = limits
        self.clock = clock
        expandedBytes = ByteBudget(limit: limits.maximumExpandedByteCountOfAll)
        self.access = access
        self.serverVersion = serverVersion
    }
}
