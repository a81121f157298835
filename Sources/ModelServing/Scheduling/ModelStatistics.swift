import Synchronization

/// What a model has done since it was loaded; every number only grows.
package final class ModelStatistics: Sendable {
    package let successCount = Atomic<UInt64>(0)
    package let failureCount = Atomic<UInt64>(0)
    package let successNanoseconds = Atomic<UInt64>(0)
    package let failureNanoseconds = Atomic<UInt64>(0)
    package let queueNanoseconds = Atomic<UInt64>(0)
    package let computeNanoseconds = Atomic<UInt64>(0)
    /// Items of all batches.
    package let inferenceCount = Atomic<UInt64>(0)
    /// Runs of the network.
    package let executionCount = Atomic<UInt64>(0)
    /// Milliseconds since 1970.
    package let lastInferenceMilliseconds = Atomic<UInt64>(0)

    func recordSuccess(itemCount: Int, queueNanoseconds queued: UInt64, computeNanoseconds computed: UInt64) {
        successCount.add(1, ordering: .relaxed)
        successNanoseconds.add(queued &+ computed, ordering: .relaxed)
        queueNanoseconds.add(queued, ordering: .relaxed)
        computeNanoseconds.add(computed, ordering: .relaxed)
        inferenceCount.add(UInt64(max(0, itemCount)), ordering: .relaxed)
        executionCount.add(1, ordering: .relaxed)
    }

    func recordFailure(nanoseconds: UInt64) {
        failureCount.add(1, ordering: .relaxed)
        failureNanoseconds.add(nanoseconds, ordering: .relaxed)
    }
}
