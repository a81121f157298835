import Tensors
import Threads

/// The schedules of the input shapes that were asked for last.
final class ScheduleCache: Sendable {
    struct Key: Hashable, Sendable {
        let inputs: [String: Interface]
        let threadCount: Int
    }

    struct Interface: Hashable, Sendable {
        let elementType: ElementType
        let shape: Shape
    }

    /// What was found for input shapes.
    enum Entry: Sendable {
        case fixed(Schedule)
        /// Shapes depend on data: a run finds out step by step.
        case dataDependent
    }

    /// The most schedules that are kept.
    static let capacity = 16

    private struct State {
        var entries: [Key: (entry: Entry, used: UInt64)] = [:]
        var clock: UInt64 = 0
    }

    private let state = Lock(State())

    /// The entry of `key`, made when it is not there; two threads may make it at once.
    func entry(_ key: Key, make: () throws(ExecutionError) -> Entry) throws(ExecutionError) -> Entry {
        let found = state.withLock { state -> Entry? in
            state.clock += 1
            state.entries[key]?.used = state.clock
            return state.entries[key]?.entry
        }
        if let found { return found }
        let entry = try make()
        state.withLock { state in
            if state.entries.count >= Self.capacity,
                let oldest = state.entries.min(by: { $0.value.used < $1.value.used })?.key
            {
                state.entries[oldest] = nil
            }
            state.entries[key] = (entry, state.clock)
        }
        return entry
    }

    var count: Int { state.withLock { $0.entries.count } }
}
