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
    /// What compressed bodies have expanded to.
    package let expandedBytes: ByteBudget
    /// The server's own version.
    package let serverVersion: String

    package init(
        repository: ModelRepository, scheduler: InferenceScheduler, codecWorkers: WorkerQueue,
        backgroundWorkers: WorkerQueue, limits: APILimits = APILimits(), serverVersion: String
    ) {
        self.repository = repository
        self.scheduler = scheduler
        self.codecWorkers = codecWorkers
        self.backgroundWorkers = backgroundWorkers
        self.limits = limits
        expandedBytes = ByteBudget(limit: limits.maximumExpandedByteCountOfAll)
        self.serverVersion = serverVersion
    }
}
