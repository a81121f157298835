import CKernels
import Graph
import Kernels
import Tensors

/// Matrix products [rows, depth] · [depth, columns], one or a batch of them.
struct MatrixProductOperation: EpilogueOperation {
    enum Right: Sendable {
        /// Constant, as panels of columns.
        case packed(PackedMatrix)
        /// The second input; packed a block at a time.
        case computed
    }

    let right: Right
    /// Whether the left side lies as [depth, rows], the computed right side as [columns, depth].
    let transposesLeft: Bool
    let transposesRight: Bool
    /// [columns]
    private(set) var bias: FloatMemory?
    let kernels: KernelTable
    var epilogue = Epilogue()

    var kernelName: String {
        let weights = if case .packed = right { "packed weights" } else { "two computed sides" }
        return "\(kernels.instructionSet.rawValue) matrix product, " + weights + epilogue.name
    }

    func absorbing(_ consumer: Node, operand: Int, _ context: LoweringContext) -> AbsorbedOperation? {
        guard bias == nil, epilogue.name.isEmpty, case .packed(let packed) = right,
            let added = Self.addedRow(consumer, operand: operand, columns: packed.lines, context)
        else { return absorbingEpilogue(consumer, operand: operand, context) }
        var result = self
        result.bias = added
        return AbsorbedOperation(operation: result)
    }

    /// The constant of an Add that is the same for all rows; `nil` when `consumer` is something else.
    private static func addedRow(
        _ consumer: Node, operand: Int, columns: Int, _ context: LoweringContext
    ) -> FloatMemory? {
        guard consumer.type == "Add", consumer.domain.isEmpty, consumer.inputs.count == 2,
            let rank = context.info(consumer.inputs[operand])?.rank, let name = consumer.inputs[1 - operand],
            let shape = context.graph.fixedConstant(name)?.shape, shape.rank <= rank,
            let floats = context.constantFloats(name),
            floats.count == 1 || (floats.count == columns && shape.dimensions.last == columns)
        else { return nil }
        return FloatMemory(floats.count == 1 ? [Float](repeating: floats[0], count: columns) : floats)
    }

    static let depthBlock = 288
    static let maximumRowPanels = 16
    static let maximumColumnPanels = 16
    /// The weights of a task when there is one row: fewer do not outweigh the claim of a task.
    static let rowTaskWeights = 32_768
    /// The panels that a product of one row computes together.
    static let rowPanels = 4

    func schedule(_ shapes: StepShapes, threadCount: Int) throws(ExecutionError) -> ScheduledOperation {
        guard shapes.outputs[0].count > 0 else { return ScheduledOperation([]) }
        let product = MatrixProduct(self, shapes, threadCount)
        var result = ScheduledOperation([
            ScheduledOperation.Phase(taskCount: product.taskCount) { product.run($0, $1) }
        ])
        result.workerScratchCount = product.scratchCount
        return result
    }
}

/// A batch of products for concrete shapes; a task is a block of rows and columns of one of them.
private struct MatrixProduct: Sendable {
    let operation: MatrixProductOperation
    let rows: Int
    let columns: Int
    let depth: Int
    /// Where the matrices of each product begin, in floats.
    let leftOffsets: [Int]
    let rightOffsets: [Int]
    let rowChunks: Chunks
    /// Panels of columns.
    let panelChunks: Chunks
    let depthBlock: Int
    /// The floats of a task's block of the left side.
    let leftScratchCount: Int
    let scratchCount: Int

    init(_ operation: MatrixProductOperation, _ shapes: StepShapes, _ threadCount: Int) {
        self.operation = operation
        let left = shapes.inputs[0].dimensions
        let (height, width) = left.count == 1 ? (1, left[0]) : (left[left.count - 2], left[left.count - 1])
        depth = operation.transposesLeft ? height : width
        switch operation.right {
        case .packed(let packed):
            columns = packed.lines
            // The right side is one matrix, so the rows of all products are rows of one.
            rows = shapes.outputs[0].count / columns
            (leftOffsets, rightOffsets) = ([0], [0])
        case .computed:
            let right = shapes.inputs[1].dimensions
            rows = operation.transposesLeft ? width : height
            columns = right[right.count - (operation.transposesRight ? 2 : 1)]
            let batch = shapes.outputs[0].dimensions.dropLast(2)
            leftOffsets = Self.offsets(left, batch: Array(batch))
            rightOffsets = Self.offsets(right, batch: Array(batch))
        }
        let kernels = operation.kernels
        let panels = (columns + kernels.tileColumns - 1) / kernels.tileColumns
        let isRow = rows == 1
        let sizes =
            isRow
            ? (rows: 1, columns: Self.rowShare(panels, depth * kernels.tileColumns, threadCount))
            : Self.blockSizes(
                rows: (rows + kernels.tileRows - 1) / kernels.tileRows, columns: panels,
                products: leftOffsets.count, threadCount)
        rowChunks = Chunks(
            total: rows, size: isRow ? 1 : sizes.rows * kernels.tileRows, unit: isRow ? 1 : kernels.tileRows)
        panelChunks = Chunks(
            total: panels, size: sizes.columns, unit: isRow ? MatrixProductOperation.rowPanels : 1)
        let limit = MatrixProductOperation.depthBlock
        let depthBlocks = max(1, (depth + limit - 1) / limit)
        // Up to two tiles of rows read the weights once or twice: their sums stay in registers for the whole depth.
        let isShort = rows <= 2 * kernels.tileRows
        depthBlock = max(1, isShort ? depth : (depth + depthBlocks - 1) / depthBlocks)
        leftScratchCount =
            operation.transposesLeft
            ? (isRow ? 1 : sizes.rows * kernels.tileRows) * depthBlock + FloatMemory.slack : 0
        var scratch = leftScratchCount
        if case .computed = operation.right {
            let (product, overflow) = (sizes.columns * kernels.tileColumns)
                .multipliedReportingOverflow(by: depthBlock)
            scratch = overflow ? .max / 16 : scratch + product
        }
        scratchCount = scratch
    }

    /// The panels of a task when there is one row.
    private static func rowShare(_ panels: Int, _ panelWeights: Int, _ threadCount: Int) -> Int {
        guard threadCount > 1 else { return panels }
        let least = max(
            MatrixProductOperation.rowPanels, MatrixProductOperation.rowTaskWeights / max(1, panelWeights))
        let wanted = threadCount * PatchProduct.tasksPerThread
        let unit = MatrixProductOperation.rowPanels
        return max(least, ((panels + wanted - 1) / wanted + unit - 1) / unit * unit)
    }

    /// The panels of rows and of columns of a task.
    private static func blockSizes(
        rows: Int, columns: Int, products: Int, _ threadCount: Int
    ) -> (rows: Int, columns: Int) {
        let wanted = threadCount == 1 ? 1 : threadCount * PatchProduct.tasksPerThread
        var rowSize = min(MatrixProductOperation.maximumRowPanels, rows)
        var columnSize = min(MatrixProductOperation.maximumColumnPanels, columns)
        while products * ((rows + rowSize - 1) / rowSize) * ((columns + columnSize - 1) / columnSize)
            < wanted,
            columnSize > 2 || rowSize > 2
        {
            if columnSize >= rowSize {
                columnSize = (columnSize + 1) / 2
            } else {
                rowSize = (rowSize + 1) / 2
            }
        }
        return (rowSize, columnSize)
    }

    var taskCount: Int { leftOffsets.count * rowChunks.count * panelChunks.count }

    /// Where the matrix of each entry of the broadcast batch begins.
    private static func offsets(_ dimensions: [Int], batch: [Int]) -> [Int] {
        let size = dimensions.suffix(2).reduce(1, *)
        let own = Array(dimensions.dropLast(2))
        let padded = [Int](repeating: 1, count: batch.count - own.count) + own
        return (0..<batch.reduce(1, *)).map { index in
            var (rest, offset, stride) = (index, 0, size)
            for axis in batch.indices.reversed() {
                if padded[axis] > 1 { offset += rest % batch[axis] * stride }
                rest /= batch[axis]
                stride *= padded[axis]
            }
            return offset
        }
    }

    func run(_ memory: TaskMemory, _ task: Int) {
        let kernels = operation.kernels
        let panels = panelChunks[task % panelChunks.count]
        let rest = task / panelChunks.count
        let taskRows = rowChunks[rest % rowChunks.count]
        let product = rest / rowChunks.count
        let firstColumn = panels.lowerBound * kernels.tileColumns
        let columnCount = min(columns, panels.upperBound * kernels.tileColumns) - firstColumn
        let outputOffset = (product * rows + taskRows.lowerBound) * columns + firstColumn
        let (lineStride, depthStride) = operation.transposesLeft ? (1, rows) : (depth, 1)
        let left = memory.input(0) + leftOffsets[product] + taskRows.lowerBound * lineStride
        var block = ck_matrix_block()
        (block.rows, block.columns) = (taskRows.count, columnCount)
        block.c = memory.output(0) + outputOffset
        block.cStride = columns
        if let bias = operation.bias { block.columnBias = UnsafePointer(bias.pointer + firstColumn) }
        if operation.epilogue.hasResidual {
            let index: Int = if case .packed = operation.right { 1 } else { 2 }
            block.residual = memory.input(index) + outputOffset
        }
        (block.lower, block.upper) = (operation.epilogue.lower, operation.epilogue.upper)
        var first = 0
        repeat {
            block.depth = min(depthBlock, depth - first)
            block.accumulate = first > 0
            block.finish = first + block.depth == depth
            setRight(&block, memory, product, panels, first)
            if rows == 1 {
                block.a = left
                if operation.transposesLeft {
                    ck_pack_panels(
                        memory.workerScratch, left, 1, block.depth, lineStride, depthStride, 1)
                    block.a = UnsafePointer(memory.workerScratch)
                }
                kernels.functions.pointee.matrix_row(&block)
            } else if operation.transposesLeft {
                ck_pack_panels(
                    memory.workerScratch, left + first * depthStride, taskRows.count, block.depth, lineStride,
                    depthStride, kernels.tileRows)
                block.a = UnsafePointer(memory.workerScratch)
                block.aPanelStride = block.depth * kernels.tileRows
                kernels.functions.pointee.matrix_block(&block)
            } else {
                block.a = left + first
                block.aRowStride = depth
                kernels.functions.pointee.matrix_rows(&block)
            }
            first += block.depth
        } while first < depth
        guard operation.epilogue.function != nil else { return }
        for row in 0..<taskRows.count {
            operation.epilogue.finish(kernels, block.c + row * columns, columnCount)
        }
    }

    private func setRight(
        _ block: inout ck_matrix_block, _ memory: TaskMemory, _ product: Int, _ panels: Range<Int>,
        _ first: Int
    ) {
        let width = operation.kernels.tileColumns
        switch operation.right {
        case .packed(let packed):
            block.b = packed.pointer(matrix: 0, panel: panels.lowerBound) + first * width
            block.bPanelStride = packed.panelStride
        case .computed:
            let (lineStride, depthStride) = operation.transposesRight ? (depth, 1) : (1, columns)
            let source =
                memory.input(1) + rightOffsets[product] + panels.lowerBound * width * lineStride
                + first * depthStride
            let target = memory.workerScratch + leftScratchCount
            ck_pack_panels(target, source, block.columns, block.depth, lineStride, depthStride, width)
            block.b = UnsafePointer(target)
            block.bPanelStride = block.depth * width
        }
    }
}
