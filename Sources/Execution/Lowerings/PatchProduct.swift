import CKernels
import Kernels

/// The matrix product of a convolution for concrete shapes: weights [outputs, inputs · taps] by the patches under the window.
///
/// A task is a block of pixels and of output channels of one item and group.
struct PatchProduct: Sendable {
    /// The depth of a block: a panel of weights and one of patches fit into the first cache.
    static let depthBlock = 288
    /// The most tiles of pixels of a task: the patches of a block stay in the second cache.
    private static let maximumTiles = 8
    /// Tasks for each thread, so that a late thread does not hold up the others for long.
    static let tasksPerThread = 4

    /// One matrix a group.
    let weights: PackedMatrix
    /// In each group.
    let inputChannels: Int
    let geometry: WindowGeometry
    let items: Int
    let kernels: KernelTable
    let bias: FloatMemory?
    let epilogue: Epilogue
    /// Whether the result goes to the step's scratch, for a later phase.
    let writesScratch: Bool
    /// The floats that each thread needs for patches.
    let scratchCount: Int
    /// For each of the depth: its place relative to a pixel's in the first channel of the group.
    private let tapOffsets: [Int]
    private let pixels: Int
    private let pixelChunks: Chunks
    /// Panels of weights.
    private let panelChunks: Chunks
    private let depthBlock: Int

    init(
        weights: PackedMatrix, inputChannels: Int, geometry: WindowGeometry, items: Int, kernels: KernelTable,
        threadCount: Int, bias: FloatMemory? = nil, epilogue: Epilogue = Epilogue(),
        writesScratch: Bool = false
    ) {
        self.weights = weights
        self.inputChannels = inputChannels
        self.geometry = geometry
        self.items = items
        self.kernels = kernels
        self.bias = bias
        self.epilogue = epilogue
        self.writesScratch = writesScratch
        pixels = geometry.outputCount
        let columns = kernels.tileColumns
        let tiles = (pixels + columns - 1) / columns
        let wanted = threadCount == 1 ? 1 : threadCount * Self.tasksPerThread
        let images = items * weights.matrixCount
        // Few pixels are shared out by output channel, which packs their patches more than once.
        var tilesPerTask = min(Self.maximumTiles, tiles)
        while tilesPerTask > 4, images * ((tiles + tilesPerTask - 1) / tilesPerTask) < wanted {
            tilesPerTask -= 1
        }
        let blocks = images * ((tiles + tilesPerTask - 1) / tilesPerTask)
        let splits = max(1, min(weights.panelCount / 4, (wanted + blocks - 1) / blocks))
        pixelChunks = Chunks(total: pixels, size: tilesPerTask * columns, unit: columns)
        panelChunks = Chunks(total: weights.panelCount, parts: splits)
        let depthBlocks = (weights.depth + Self.depthBlock - 1) / Self.depthBlock
        depthBlock = (weights.depth + depthBlocks - 1) / depthBlocks
        scratchCount = tilesPerTask * columns * depthBlock
        var offsets: [Int] = []
        offsets.reserveCapacity(weights.depth)
        for channel in 0..<inputChannels {
            for tap in geometry.tapOffsets { offsets.append(channel * geometry.planeCount + tap) }
        }
        tapOffsets = offsets
    }

    var taskCount: Int { items * weights.matrixCount * pixelChunks.count * panelChunks.count }

    func run(_ memory: TaskMemory, _ task: Int) {
        let functions = kernels.functions
        var rest = task
        let panels = panelChunks[rest % panelChunks.count]
        rest /= panelChunks.count
        let columns = pixelChunks[rest % pixelChunks.count]
        let matrix = rest / pixelChunks.count  // item · groups + group
        let group = matrix % weights.matrixCount
        let firstRow = panels.lowerBound * weights.width
        let rows = min(weights.lines, panels.upperBound * weights.width) - firstRow
        let outputOffset = (matrix * weights.lines + firstRow) * pixels + columns.lowerBound
        let plane = matrix * inputChannels * geometry.planeCount
        var patches = ck_patches()
        patches.source = (geometry.isDirect ? memory.input(0) : UnsafePointer(memory.scratch)) + plane
        (patches.first, patches.count) = (columns.lowerBound, columns.count)
        (patches.height, patches.width) = (geometry.axes[1].output, geometry.axes[2].output)
        (patches.rowStride, patches.planeStride) = (geometry.rowStride, geometry.sheetStride)
        var block = ck_matrix_block()
        (block.rows, block.columns) = (rows, columns.count)
        block.aPanelStride = weights.panelStride
        block.b = UnsafePointer(memory.workerScratch)
        block.c = (writesScratch ? memory.scratch : memory.output(0)) + outputOffset
        block.cStride = pixels
        if let bias = bias {
            block.rowBias = UnsafePointer(bias.pointer + group * weights.lines + firstRow)
        }
        if epilogue.hasResidual { block.residual = memory.input(1) + outputOffset }
        (block.lower, block.upper) = (epilogue.lower, epilogue.upper)
        tapOffsets.withUnsafeBufferPointer { offsets in
            var first = 0
            while first < weights.depth {
                let depth = min(depthBlock, weights.depth - first)
                patches.tapOffsets = offsets.baseAddress! + first
                patches.depth = depth
                functions.pointee.pack_patches(&patches, memory.workerScratch)
                block.depth = depth
                block.a = weights.pointer(matrix: group, panel: panels.lowerBound) + first * weights.width
                block.bPanelStride = depth * kernels.tileColumns
                block.accumulate = first > 0
                block.finish = first + depth == weights.depth
                functions.pointee.matrix_block(&block)
                first += depth
            }
        }
        guard epilogue.function != nil else { return }
        for row in 0..<rows {
            epilogue.finish(kernels, block.c + row * pixels, columns.count)
        }
    }
}
