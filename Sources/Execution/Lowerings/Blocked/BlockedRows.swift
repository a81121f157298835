import Kernels

/// The rows of a blocked value, counted through the items and the channel blocks: the tasks of a phase.
struct BlockedRows: Sendable {
    private let rows: Chunks
    private let rowsInBlock: Int
    private let blocks: Int

    /// The floats of a task's outputs: what it reads and writes fits into the second cache.
    private static let elementCount = 24_576

    /// `rowPixels`: the pixels that are not cut; they divide those of a channel.
    init(_ shape: BlockedShape, rowPixels: Int = 1) {
        rowsInBlock = shape.pixels / max(1, rowPixels)
        blocks = shape.blocks
        rows = Chunks(
            total: shape.items * blocks * rowsInBlock,
            size: Self.elementCount / max(1, rowPixels * BlockedShape.blockSize))
    }

    var count: Int { rows.count }

    /// Calls `body` with the pieces of a task.
    ///
    /// `plane`: the number of the item's channel block among all; `block`: among those of the item.
    func forEachPiece(_ task: Int, _ body: (_ plane: Int, _ block: Int, _ rows: Range<Int>) -> Void) {
        let range = rows[task]
        var first = range.lowerBound
        while first < range.upperBound {
            let plane = first / rowsInBlock
            let start = plane * rowsInBlock
            let end = min(range.upperBound, start + rowsInBlock)
            body(plane, plane % blocks, first - start..<end - start)
            first = end
        }
    }
}
