/// Pieces of a range, as equal as whole units let them be: the tasks of a phase.
struct Chunks: Sendable {
    let total: Int
    let count: Int
    private let unit: Int
    private let units: Int

    /// As few pieces of at most `size` as there can be. Only the last one ends between two units; `size` counts in whole ones.
    init(total: Int, size: Int, unit: Int = 1) {
        let unitsOfPiece = max(1, size / unit)
        let units = (total + unit - 1) / unit
        self.init(total: total, parts: (units + unitsOfPiece - 1) / unitsOfPiece, unit: unit)
    }

    /// So many pieces, or as many as there are units when that is less.
    init(total: Int, parts: Int, unit: Int = 1) {
        self.total = total
        self.unit = unit
        units = (total + unit - 1) / unit
        count = min(units, max(1, parts))
    }

    /// That of the largest piece.
    var size: Int { count == 0 ? 0 : min(total, (units + count - 1) / count * unit) }

    subscript(index: Int) -> Range<Int> {
        units * index / count * unit..<min(total, units * (index + 1) / count * unit)
    }

    /// The floats of one task of a loop over elements: enough to outweigh the claim of a task.
    static let elementCount = 16_384
    /// The floats of a cache line: tasks of a loop over elements do not share one.
    private static let lineCount = 16

    /// Elements in tasks of about `elementCount`.
    static func elements(_ total: Int) -> Chunks {
        Chunks(total: total, size: elementCount, unit: lineCount)
    }

    /// Rows of `length` elements in tasks of about `elementCount`.
    static func rows(_ total: Int, length: Int) -> Chunks {
        Chunks(total: total, size: max(1, elementCount / max(1, length)))
    }
}
