import CKernels
import Graph
import Kernels
import Tensors

/// A convolution as a matrix product: weights [outputs, inputs · taps] by the patches under the window.
///
/// Patches are packed a block of pixels and a block of the depth at a time, into a cache, just before they are used.
struct ConvolutionOperation: LoweredOperation {
    let window: Window
    let kernel: [Int]
    let group: Int
    /// In each group.
    let inputChannels: Int
    /// One matrix a group.
    let weights: PackedMatrix
    let bias: FloatMemory?
    let kernels: KernelTable
    var epilogue = Epilogue()

    var kernelName: String {
        "\(kernels.instructionSet.rawValue) convolution by patches" + epilogue.name
    }

    /// The depth of a block: a panel of weights and one of patches fit into the first cache.
    static let depthBlock = 288
    /// The most tiles of pixels of a task: the patches of a block stay in the second cache.
    static let maximumTiles = 8
    /// Tasks for each thread, so that a late thread does not hold up the others for long.
    static let tasksPerThread = 4

    func absorbing(_ consumer: Node, operand: Int, _ context: LoweringContext) -> AbsorbedOperation? {
        guard let (epilogue, added) = epilogue.absorbing(consumer, operand: operand, context) else {
            return nil
        }
        var result = self
        result.epilogue = epilogue
        return AbsorbedOperation(operation: result, addedInputs: added)
    }

    func schedule(_ shapes: StepShapes, threadCount: Int) throws(ExecutionError) -> ScheduledOperation {
        let (input, output) = (shapes.inputs[0], shapes.outputs[0])
        guard let geometry = WindowGeometry(window, kernel: kernel, input: input, output: output) else {
            throw .memory(byteCount: .max, limit: WindowGeometry.maximumPlaneCount)
        }
        guard output.count > 0 else { return ScheduledOperation([]) }
        let planes = input[0] * input[1]
        var phases: [ScheduledOperation.Phase] = []
        var scratchCount = 0
        if !geometry.isDirect {
            let (count, overflow) = planes.multipliedReportingOverflow(by: geometry.planeCount)
            scratchCount = overflow ? .max / 16 : count
            let chunks = Chunks.rows(planes, length: geometry.planeCount)
            phases.append(
                ScheduledOperation.Phase(taskCount: chunks.count) { memory, task in
                    for plane in chunks[task] {
                        geometry.prepare(
                            memory.input(0) + plane * geometry.inputCount,
                            into: memory.scratch + plane * geometry.planeCount, fill: 0)
                    }
                })
        }
        let product = product(geometry, items: output[0], threadCount)
        phases.append(ScheduledOperation.Phase(taskCount: product.taskCount) { product.run($0, $1) })
        var result = ScheduledOperation(phases)
        result.scratchCount = scratchCount
        result.workerScratchCount = product.scratchCount
        // Sums that are complete only after several blocks of the depth wait in the output: the residual is needed later.
        if epilogue.hasResidual, weights.depth <= Self.depthBlock { result.reusableInputs = [1] }
        return result
    }

    private func product(_ geometry: WindowGeometry, items: Int, _ threadCount: Int) -> PatchProduct {
        let pixels = geometry.outputCount
        let columns = kernels.tileColumns
        let tiles = (pixels + columns - 1) / columns
        let wanted = threadCount == 1 ? 1 : threadCount * Self.tasksPerThread
        // Few pixels are shared out by output channel, which packs their patches more than once.
        var tilesPerTask = min(Self.maximumTiles, tiles)
        while tilesPerTask > 4, items * group * ((tiles + tilesPerTask - 1) / tilesPerTask) < wanted {
            tilesPerTask -= 1
        }
        let blocks = items * group * ((tiles + tilesPerTask - 1) / tilesPerTask)
        let splits = max(1, min(weights.panelCount / 4, (wanted + blocks - 1) / blocks))
        let depthBlocks = (weights.depth + Self.depthBlock - 1) / Self.depthBlock
        var offsets: [Int] = []
        offsets.reserveCapacity(weights.depth)
        for channel in 0..<inputChannels {
            for tap in geometry.tapOffsets { offsets.append(channel * geometry.planeCount + tap) }
        }
        return PatchProduct(
            operation: self, geometry: geometry, tapOffsets: offsets, pixels: pixels,
            pixelChunks: Chunks(total: pixels, size: tilesPerTask * columns),
            panelChunks: Chunks(
                total: weights.panelCount, size: (weights.panelCount + splits - 1) / splits),
            items: items, depthBlock: (weights.depth + depthBlocks - 1) / depthBlocks,
            scratchCount: tilesPerTask * columns * ((weights.depth + depthBlocks - 1) / depthBlocks))
    }
}

/// The matrix product of a convolution for concrete shapes; a task is a block of pixels and of output channels.
private struct PatchProduct: Sendable {
    let operation: ConvolutionOperation
    let geometry: WindowGeometry
    /// For each of the depth: its place relative to a pixel's in the first channel of the group.
    let tapOffsets: [Int]
    let pixels: Int
    let pixelChunks: Chunks
    /// Panels of weights.
    let panelChunks: Chunks
    let items: Int
    let depthBlock: Int
    let scratchCount: Int

    var taskCount: Int { items * operation.group * pixelChunks.count * panelChunks.count }

    func run(_ memory: TaskMemory, _ task: Int) {
        let functions = operation.kernels.functions
        let weights = operation.weights
        var rest = task
        let panels = panelChunks[rest % panelChunks.count]
        rest /= panelChunks.count
        let columns = pixelChunks[rest % pixelChunks.count]
        let matrix = rest / pixelChunks.count  // item · groups + group
        let group = matrix % operation.group
        let firstRow = panels.lowerBound * weights.width
        let rows = min(weights.lines, panels.upperBound * weights.width) - firstRow
        let outputOffset = (matrix * weights.lines + firstRow) * pixels + columns.lowerBound
        let plane = matrix * operation.inputChannels * geometry.planeCount
        var patches = ck_patches()
        patches.source = (geometry.isDirect ? memory.input(0) : UnsafePointer(memory.scratch)) + plane
        (patches.first, patches.count) = (columns.lowerBound, columns.count)
        (patches.height, patches.width) = (geometry.axes[1].output, geometry.axes[2].output)
        (patches.rowStride, patches.planeStride) = (geometry.rowStride, geometry.sheetStride)
        var block = ck_matrix_block()
        (block.rows, block.columns) = (rows, columns.count)
        block.aPanelStride = weights.panelStride
        block.b = UnsafePointer(memory.workerScratch)
        block.c = memory.output(0) + outputOffset
        block.cStride = pixels
        if let bias = operation.bias {
            block.rowBias = UnsafePointer(bias.pointer + group * weights.lines + firstRow)
        }
        if operation.epilogue.hasResidual { block.residual = memory.input(1) + outputOffset }
        (block.lower, block.upper) = (operation.epilogue.lower, operation.epilogue.upper)
        tapOffsets.withUnsafeBufferPointer { offsets in
            var first = 0
            while first < weights.depth {
                let depth = min(depthBlock, weights.depth - first)
                patches.tapOffsets = offsets.baseAddress! + first
                patches.depth = depth
                functions.pointee.pack_patches(&patches, memory.workerScratch)
                block.depth = depth
                block.a = weights.pointer(matrix: group, panel: panels.lowerBound) + first * weights.width
                block.bPanelStride = depth * operation.kernels.tileColumns
                block.accumulate = first > 0
                block.finish = first + depth == weights.depth
                functions.pointee.matrix_block(&block)
                first += depth
            }
        }
        guard operation.epilogue.function != nil else { return }
        for row in 0..<rows {
            operation.epilogue.finish(operation.kernels, block.c + row * pixels, columns.count)
        }
    }
}
