import Synchronization

/// The bytes of all bodies being received, in all connections of the server.
final class BodyBudget: Sendable {
    private let limit: Int
    private let byteCount = Atomic(0)

    init(limit: Int) { self.limit = limit }

    /// Takes `change` more bytes, or returns false and takes none where that passes the limit.
    func charge(_ change: Int) -> Bool {
        guard change != 0 else { return true }
        let total = byteCount.add(change, ordering: .relaxed).newValue
        if change > 0, total > limit {
            byteCount.subtract(change, ordering: .relaxed)
            return false
        }
        return true
    }

    func release(_ count: Int) { byteCount.subtract(count, ordering: .relaxed) }
}
