import Synchronization
import Threads

/// What a model has done since it was loaded; every number only grows.
package final class ModelStatistics: Sendable {
    package let successCount = Atomic<UInt64>(0)
    package let successNanoseconds = Atomic<UInt64>(0)
    package let failureNanoseconds = Atomic<UInt64>(0)
    package let queueNanoseconds = Atomic<UInt64>(0)
    package let computeNanoseconds = Atomic<UInt64>(0)
    /// Reading the inputs of the requests that succeeded.
    package let inputNanoseconds = Atomic<UInt64>(0)
    /// Answers that were written, and how long that took.
    package let outputCount = Atomic<UInt64>(0)
    package let outputNanoseconds = Atomic<UInt64>(0)
    /// Items of all batches.
    package let inferenceCount = Atomic<UInt64>(0)
    /// Runs of the network.
    package let executionCount = Atomic<UInt64>(0)
    /// Milliseconds since 1970.
    package let lastInferenceMilliseconds = Atomic<UInt64>(0)

    /// What runs of one batch size took.
    package struct BatchSize: Sendable, Equatable {
        package var runCount: UInt64 = 0
        package var inputNanoseconds: UInt64 = 0
        package var computeNanoseconds: UInt64 = 0
        package var outputCount: UInt64 = 0
        package var outputNanoseconds: UInt64 = 0
    }

    /// Batch sizes that are told apart; runs of any further one count in the sums alone.
    package static let maximumBatchSizeCount = 128

    private let batchSizes = Lock<[Int: BatchSize]>([:])
    private let failures = FailureReason.allCases.map { _ in Counter() }
    package let phases = PhaseHistograms()

    package init() {}

    package func failureCount(_ reason: FailureReason) -> UInt64 { failures[reason.rawValue].value }

    /// Of all reasons.
    package var failureCount: UInt64 { failures.reduce(0) { $0 &+ $1.value } }

    /// By size, ascending.
    package var runsByBatchSize: [(size: Int, runs: BatchSize)] {
        batchSizes.withLock { $0 }.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }

    /// A request was answered; every request of a batch waited for all of its computing.
    package func recordSuccess(
        inputNanoseconds input: UInt64 = 0, queueNanoseconds queued: UInt64,
        computeNanoseconds computed: UInt64
    ) {
        successCount.add(1, ordering: .relaxed)
        successNanoseconds.add(input &+ queued &+ computed, ordering: .relaxed)
        inputNanoseconds.add(input, ordering: .relaxed)
        queueNanoseconds.add(queued, ordering: .relaxed)
        computeNanoseconds.add(computed, ordering: .relaxed)
        phases.read.record(input)
        phases.queue.record(queued)
        phases.compute.record(computed)
    }

    /// The network ran for a batch; `input`: reading the inputs of all its requests.
    package func recordExecution(
        itemCount: Int, inputNanoseconds input: UInt64, computeNanoseconds computed: UInt64
    ) {
        inferenceCount.add(UInt64(max(0, itemCount)), ordering: .relaxed)
        executionCount.add(1, ordering: .relaxed)
        phases.batchSize.record(UInt64(max(0, itemCount)))
        recordBatch(itemCount) { runs in
            runs.runCount &+= 1
            runs.inputNanoseconds &+= input
            runs.computeNanoseconds &+= computed
        }
    }

    /// The answer of a success was written, which had ridden in a batch of so many items.
    package func recordOutput(itemCount: Int, nanoseconds: UInt64) {
        outputCount.add(1, ordering: .relaxed)
        outputNanoseconds.add(nanoseconds, ordering: .relaxed)
        phases.serialise.record(nanoseconds)
        recordBatch(itemCount) { runs in
            runs.outputCount &+= 1
            runs.outputNanoseconds &+= nanoseconds
        }
    }

    private func recordBatch(_ size: Int, _ change: (inout BatchSize) -> Void) {
        batchSizes.withLock { sizes in
            guard sizes[size] != nil || sizes.count < Self.maximumBatchSizeCount else { return }
            change(&sizes[size, default: BatchSize()])
        }
    }

    package func recordFailure(_ reason: FailureReason, nanoseconds: UInt64) {
        failures[reason.rawValue].increment()
        failureNanoseconds.add(nanoseconds, ordering: .relaxed)
    }
}
