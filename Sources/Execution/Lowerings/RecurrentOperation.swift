import CKernels
import Graph
import Kernels
import Tensors

/// A recurrent layer: one product gives what the input adds to the gates of every time, then each direction walks through
/// the times, a product and a cell at each.
///
/// Items go through the same sums however many walk together.
struct RecurrentOperation: LoweredOperation {
    let cell: RecurrentCell
    let sizes: RecurrentSizes
    /// Whether each direction goes backward.
    let directions: [Bool]
    let weights: PackedMatrix
    let recurrentWeights: PackedMatrix
    /// [directions, gates]
    let inputBias: FloatMemory
    let recurrentBias: FloatMemory
    /// The numbers of the inputs that hold the first states.
    let initialHidden: Int?
    let initialCell: Int?
    let kernels: KernelTable

    var kernelName: String { "\(kernels.instructionSet.rawValue) \(cell.rawValue) cells, packed weights" }

    /// The items that walk together at least, where there are threads for more walks.
    static let leastItems = 6

    func schedule(_ shapes: StepShapes, threadCount: Int) throws(ExecutionError) -> ScheduledOperation {
        let walk = RecurrentWalk(self, shapes, threadCount)
        guard walk.batch > 0 else { return ScheduledOperation([]) }
        var result = ScheduledOperation([
            ScheduledOperation.Phase(taskCount: walk.projectionTaskCount) { walk.project($0, $1) },
            ScheduledOperation.Phase(taskCount: walk.walkTaskCount) { walk.walk($0, $1) },
        ])
        result.scratchCount = walk.scratchCount
        return result
    }
}

/// The layer for concrete shapes.
private struct RecurrentWalk: Sendable {
    let layer: RecurrentOperation
    let steps: Int
    let batch: Int
    let outputCount: Int
    /// Rows of all times and items, and panels of gates: the tasks of the input's product.
    let rowChunks: Chunks
    let panelChunks: Chunks
    /// The items that walk together.
    let itemChunks: Chunks
    let scratchCount: Int
    /// Where the parts of the scratch memory begin: the input's gates [directions, steps, batch, gates], the cells and the
    /// first hidden states [directions, batch, hidden], and for a GRU what the state gives [directions, batch, gates].
    private let cellOffset: Int
    private let zeroOffset: Int
    private let recurrentOffset: Int

    init(_ layer: RecurrentOperation, _ shapes: StepShapes, _ threadCount: Int) {
        self.layer = layer
        (steps, batch) = (shapes.inputs[0][0], shapes.inputs[0][1])
        outputCount = shapes.outputs.count
        let sizes = layer.sizes
        rowChunks = Chunks(
            total: steps * batch, size: 16 * layer.kernels.tileRows, unit: layer.kernels.tileRows)
        panelChunks = Chunks(total: layer.weights.panelCount, size: 16)
        let walks = max(1, (threadCount + sizes.directions - 1) / sizes.directions)
        itemChunks = Chunks(
            total: batch, size: max(RecurrentOperation.leastItems, (batch + walks - 1) / walks))
        var isTooLarge = false
        func product(_ factors: Int...) -> Int {
            factors.reduce(1) { result, factor in
                let (product, overflow) = result.multipliedReportingOverflow(by: factor)
                if overflow || product > 1 << 48 { isTooLarge = true }
                return isTooLarge ? 0 : product
            }
        }
        cellOffset = product(sizes.directions, steps, batch, sizes.gates)
        let states = product(sizes.directions, batch, sizes.hidden)
        zeroOffset = cellOffset + states
        recurrentOffset = zeroOffset + states
        let total = recurrentOffset + (layer.cell == .gru ? product(sizes.directions, batch, sizes.gates) : 0)
        // More than any arena may have.
        scratchCount = isTooLarge ? .max / 16 : total
    }

    var projectionTaskCount: Int { layer.sizes.directions * rowChunks.count * panelChunks.count }
    var walkTaskCount: Int { layer.sizes.directions * itemChunks.count }

    /// What the input adds to the gates, biases included.
    func project(_ memory: TaskMemory, _ task: Int) {
        let (sizes, kernels) = (layer.sizes, layer.kernels)
        let panels = panelChunks[task % panelChunks.count]
        let rows = rowChunks[task / panelChunks.count % rowChunks.count]
        let direction = task / panelChunks.count / rowChunks.count
        let first = panels.lowerBound * kernels.tileColumns
        let columns = min(sizes.gates, panels.upperBound * kernels.tileColumns) - first
        var block = product(layer.weights, direction, panels.lowerBound, columns)
        block.rows = rows.count
        block.a = memory.input(0) + rows.lowerBound * sizes.input
        block.aRowStride = sizes.input
        block.c = memory.scratch + (direction * steps * batch + rows.lowerBound) * sizes.gates + first
        block.columnBias = UnsafePointer(layer.inputBias.pointer + direction * sizes.gates + first)
        run(&block)
    }

    /// All times of some items in one direction.
    func walk(_ memory: TaskMemory, _ task: Int) {
        let direction = task / itemChunks.count
        let items = itemChunks[task % itemChunks.count]
        let (size, gates) = (layer.sizes.hidden, layer.sizes.gates)
        let place = (direction * batch + items.lowerBound) * size
        let count = items.count * size
        let cells =
            layer.cell == .lstm && outputCount > 2
            ? memory.output(2) + place : memory.scratch + cellOffset + place
        start(cells, layer.initialCell.map { memory.input($0) + place }, count)
        let zeros = memory.scratch + zeroOffset + place
        start(zeros, layer.initialHidden.map { memory.input($0) + place }, count)
        var hidden = zeros
        var block = product(layer.recurrentWeights, direction, 0, gates)
        block.rows = items.count
        block.aRowStride = size
        for step in 0..<steps {
            let time = layer.directions[direction] ? steps - 1 - step : step
            let added =
                memory.scratch + ((direction * steps + time) * batch + items.lowerBound) * gates
            let next =
                memory.output(0) + ((time * layer.sizes.directions + direction) * batch + items.lowerBound)
                * size
            block.a = UnsafePointer(hidden)
            if layer.cell == .lstm {
                block.c = added
                block.residual = UnsafePointer(added)
                run(&block)
                for item in 0..<items.count {
                    layer.kernels.functions.pointee.lstm_cell(
                        added + item * gates, cells + item * size, next + item * size, size)
                }
            } else {
                let linear = memory.scratch + recurrentOffset + (direction * batch + items.lowerBound) * gates
                block.c = linear
                block.columnBias = UnsafePointer(layer.recurrentBias.pointer + direction * gates)
                run(&block)
                for item in 0..<items.count {
                    layer.kernels.functions.pointee.gru_cell(
                        added + item * gates, linear + item * gates, hidden + item * size, next + item * size,
                        size)
                }
            }
            hidden = next
        }
        if outputCount > 1 { (memory.output(1) + place).update(from: hidden, count: count) }
    }

    private func start(_ target: UnsafeMutablePointer<Float>, _ source: UnsafePointer<Float>?, _ count: Int) {
        if let source {
            target.update(from: source, count: count)
        } else {
            target.update(repeating: 0, count: count)
        }
    }

    /// A product with one direction's weights, its sums whole.
    private func product(
        _ weights: PackedMatrix, _ direction: Int, _ panel: Int, _ columns: Int
    ) -> ck_matrix_block {
        var block = ck_matrix_block()
        (block.columns, block.depth) = (columns, weights.depth)
        block.b = weights.pointer(matrix: direction, panel: panel)
        block.bPanelStride = weights.panelStride
        block.cStride = layer.sizes.gates
        block.finish = true
        (block.lower, block.upper) = (-.infinity, .infinity)
        return block
    }

    private func run(_ block: inout ck_matrix_block) {
        if block.rows == 1 {
            layer.kernels.functions.pointee.matrix_row(&block)
        } else {
            layer.kernels.functions.pointee.matrix_rows(&block)
        }
    }
}
