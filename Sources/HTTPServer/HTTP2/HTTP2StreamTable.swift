/// The open streams of a connection by their identifiers, which only grow (RFC 9113 §5.1.1).
struct HTTP2StreamTable {
    /// Ascending; each stream has the place of its identifier.
    private var identifiers: [Int32] = []
    private(set) var all: [HTTP2Stream] = []
    /// Where the last one was found: what is told of a stream comes together.
    private var latest = 0

    var isEmpty: Bool { all.isEmpty }

    mutating func find(_ identifier: Int32) -> HTTP2Stream? {
        guard let place = place(identifier) else { return nil }
        latest = place
        return all[place]
    }

    mutating func append(_ stream: HTTP2Stream) {
        precondition(
            identifiers.last.map { $0 < stream.identifier } ?? true, "a stream's identifier does not grow")
        latest = all.count
        identifiers.append(stream.identifier)
        all.append(stream)
    }

    mutating func remove(_ identifier: Int32) -> HTTP2Stream? {
        guard let place = place(identifier) else { return nil }
        identifiers.remove(at: place)
        return all.remove(at: place)
    }

    mutating func removeAll() { self = HTTP2StreamTable() }

    private func place(_ identifier: Int32) -> Int? {
        if latest < identifiers.count, identifiers[latest] == identifier { return latest }
        var (low, high) = (0, identifiers.count)
        while low < high {
            let middle = (low + high) / 2
            if identifiers[middle] < identifier { low = middle + 1 } else { high = middle }
        }
        return low < identifiers.count && identifiers[low] == identifier ? low : nil
    }
}
