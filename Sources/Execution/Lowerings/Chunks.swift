/// Equal pieces of a range, the last one shorter: the tasks of a phase.
struct Chunks: Sendable {
    let total: Int
    let size: Int

    init(total: Int, size: Int) {
        self.total = total
        self.size = max(1, size)
    }

    var count: Int { (total + size - 1) / size }

    subscript(index: Int) -> Range<Int> {
        let start = index * size
        return start..<min(total, start + size)
    }

    /// The floats of one task of a loop over elements: enough to outweigh the claim of a task.
    static let elementCount = 16_384

    /// Elements in tasks of about `elementCount`.
    static func elements(_ total: Int) -> Chunks { Chunks(total: total, size: elementCount) }

    /// Rows of `length` elements in tasks of about `elementCount`.
    static func rows(_ total: Int, length: Int) -> Chunks {
        Chunks(total: total, size: max(1, elementCount / max(1, length)))
    }
}
