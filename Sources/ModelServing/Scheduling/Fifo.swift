/// First in, first out, in constant time on average; elements may also be taken out of the middle.
struct Fifo<Element> {
    // Where an element was taken out there is `nil`, but never at `head` when there are elements.
    private var elements: [Element?] = []
    private var head = 0
    private(set) var count = 0

    var isEmpty: Bool { count == 0 }

    /// The one that came first.
    var first: Element? { count == 0 ? nil : elements[head] }

    mutating func append(_ element: Element) {
        elements.append(element)
        count += 1
    }

    mutating func popFirst() -> Element? {
        guard count > 0 else { return nil }
        let element = elements[head]
        remove(at: head)
        tidy()
        return element
    }

    /// Takes out those for which `body` returns `true`, of the first `scanCount` in their order.
    mutating func take(scanCount: Int = .max, where body: (Element) -> Bool) {
        var scanned = 0
        var index = head
        while index < elements.count, scanned < scanCount, count > 0 {
            if let element = elements[index] {
                scanned += 1
                if body(element) { remove(at: index) }
            }
            index += 1
        }
        tidy()
    }

    func forEach(_ body: (Element) -> Void) {
        for case let element? in elements[head...] { body(element) }
    }

    private mutating func remove(at index: Int) {
        elements[index] = nil
        count -= 1
    }

    /// Moves `head` to the first element, and the elements together once there are more gaps: moving them costs what
    /// the removals before have saved.
    private mutating func tidy() {
        while head < elements.count, elements[head] == nil { head += 1 }
        guard elements.count > 2 * count else { return }
        elements = elements[head...].filter { $0 != nil }
        head = 0
    }
}
