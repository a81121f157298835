/// How requests of a model are gathered into batches.
package struct BatchPolicy: Sendable, Equatable {
    /// Items that may ride in one run with those of other requests; 1: every request runs by itself.
    package var maximumItemCount: Int
    /// How long a request may be held back for others to come, when a worker is free.
    package var queueDelayMicroseconds: UInt64

    /// What a model's description or a setting may ask for.
    package static let itemCountRange = 1...1024
    package static let queueDelayRange = 0...10_000_000

    package init(maximumItemCount: Int = 8, queueDelayMicroseconds: UInt64 = 0) {
        self.maximumItemCount = maximumItemCount
        self.queueDelayMicroseconds = queueDelayMicroseconds
    }

    /// This policy with what a model's own description says.
    func overridden(by description: ModelDescription) -> BatchPolicy {
        BatchPolicy(
            maximumItemCount: description.maximumBatchSize ?? maximumItemCount,
            queueDelayMicroseconds: description.queueDelayMicroseconds ?? queueDelayMicroseconds)
    }
}
