import Synchronization

/// The requests of one model that wait for a worker. Only the scheduler touches the list, under its own lock.
final class InferenceQueue: @unchecked Sendable {
    // `jobs` is read and written only under the scheduler's lock.
    var jobs = Fifo<InferenceJob>()
    /// How many requests wait, for metrics: read without the lock.
    let pendingCount = Atomic<Int>(0)
}

struct InferenceJob: Sendable {
    let model: LoadedModel
    let request: InferenceRequest
    let enqueuedNanoseconds: UInt64
    let completion: InferenceCompletion
}

/// First in, first out, in constant time on average.
struct Fifo<Element> {
    private var elements: [Element?] = []
    private var head = 0

    var count: Int { elements.count - head }
    var isEmpty: Bool { count == 0 }

    mutating func append(_ element: Element) { elements.append(element) }

    mutating func popFirst() -> Element? {
        guard head < elements.count else { return nil }
        let element = elements[head]
        elements[head] = nil
        head += 1
        // Half of the array is spent: moving the rest costs what the pops before have saved.
        if head * 2 >= elements.count {
            elements.removeFirst(head)
            head = 0
        }
        return element
    }
}
