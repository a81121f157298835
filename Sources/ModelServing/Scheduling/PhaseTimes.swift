import Synchronization

/// How long the phases of one request took: whoever runs it writes them, whoever answers it tells them.
package final class PhaseTimes: Sendable {
    package let queueNanoseconds = Atomic<UInt64>(0)
    package let computeNanoseconds = Atomic<UInt64>(0)

    package init() {}

    package func record(queueNanoseconds queued: UInt64, computeNanoseconds computed: UInt64) {
        queueNanoseconds.store(queued, ordering: .relaxed)
        computeNanoseconds.store(computed, ordering: .relaxed)
    }
}
