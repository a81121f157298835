import Kernels

/// The rows of a blocked value as the tasks of a phase: some rows of some channel blocks of an item.
struct BlockedRows: Sendable {
    /// Of an item.
    private let rows: Chunks
    private let blocks: Chunks
    private let items: Int

    /// The floats of a task's outputs: what it reads and writes fits into the second cache.
    private static let elementCount = 24_576
    /// Tasks for each thread, so that a late thread does not hold up the others for long.
    private static let tasksPerThread = 4

    /// `rowPixels`: the pixels that are not cut; they divide those of a channel.
    init(_ shape: BlockedShape, rowPixels: Int = 1, threadCount: Int) {
        items = shape.items
        let rowCount = shape.pixels / max(1, rowPixels)
        let rowSize = max(1, rowPixels * BlockedShape.blockSize)
        // One image is cut as the convolutions around it cut it.
        let parts = items < threadCount && shape.isSharedByPixels(threadCount) ? threadCount : 1
        let fittingRows = max(1, Self.elementCount / rowSize)
        rows = Chunks(
            total: rowCount, parts: parts * ((rowCount + parts * fittingRows - 1) / (parts * fittingRows)))
        let tasks = max(1, (threadCount * Self.tasksPerThread) / max(1, items * rows.count))
        let fitting = max(1, Self.elementCount / max(1, rows.size * rowSize))
        blocks = Chunks(
            total: shape.blocks,
            parts: max(threadCount == 1 ? 1 : tasks, (shape.blocks + fitting - 1) / fitting))
    }

    var count: Int { items * rows.count * blocks.count }

    /// Calls `body` with the pieces of a task.
    ///
    /// `plane`: the number of the item's channel block among all; `block`: among those of the item.
    func forEachPiece(_ task: Int, _ body: (_ plane: Int, _ block: Int, _ rows: Range<Int>) -> Void) {
        let rest = task / blocks.count
        let rows = rows[rest % self.rows.count]
        let item = rest / self.rows.count
        for block in blocks[task % blocks.count] { body(item * blocks.total + block, block, rows) }
    }
}
