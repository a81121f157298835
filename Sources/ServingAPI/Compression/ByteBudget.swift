import Synchronization

/// Bytes that requests may hold together: few compressed bytes can ask for many.
package final class ByteBudget: Sendable {
    private let limit: Int
    private let byteCount = Atomic(0)

    package init(limit: Int) { self.limit = limit }

    /// What is charged at present.
    package var chargedByteCount: Int { byteCount.load(ordering: .relaxed) }

    /// What one request holds; it is given back when the share is let go.
    package final class Share: Sendable {
        private let budget: ByteBudget
        private let byteCount = Atomic(0)

        package init(of budget: ByteBudget) { self.budget = budget }

        deinit { budget.byteCount.subtract(byteCount.load(ordering: .relaxed), ordering: .relaxed) }

        /// Takes more bytes, or returns false and takes none where that passes the limit.
        package func charge(_ count: Int) -> Bool {
            guard budget.byteCount.add(count, ordering: .relaxed).newValue <= budget.limit else {
                budget.byteCount.subtract(count, ordering: .relaxed)
                return false
            }
            byteCount.add(count, ordering: .relaxed)
            return true
        }
    }
}
