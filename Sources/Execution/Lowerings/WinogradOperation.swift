import CKernels
import Graph
import Kernels
import Tensors

/// A convolution of 3×3 windows from blocked to blocked, by Winograd's algorithm.
struct WinogradOperation: EpilogueOperation {
    let window: Window
    let weights: WinogradWeights
    let kernels: KernelTable
    var epilogue = Epilogue()

    var isItemwise: Bool { true }
    var weightByteCount: Int { weights.memory.count * MemoryLayout<Float>.stride }

    var kernelName: String {
        let (tile, stride) = (weights.tile.extent, weights.tile.stride == 1 ? "" : " of stride 2")
        return
            "\(kernels.instructionSet.rawValue) Winograd F(\(tile)×\(tile),3×3) convolution\(stride), blocked"
            + epilogue.name
    }

    func schedule(_ shapes: StepShapes, threadCount: Int) throws(ExecutionError) -> ScheduledOperation {
        let (input, output) = (shapes.inputs[0], shapes.outputs[0])
        guard let axes = WindowAxis.axes(window, kernel: [3, 3], input: input, output: output),
            ValueLayout.blocked.count(input) != nil, ValueLayout.blocked.count(output) != nil,
            let convolution = WinogradConvolution(
                weights: weights, items: input[0], axes: axes, kernels: kernels)
        else { throw .memory(byteCount: .max, limit: WindowGeometry.maximumPlaneCount) }
        guard output.count > 0 else { return ScheduledOperation([]) }
        let tasks = WinogradTasks(convolution, threadCount: threadCount)
        var result =
            tasks.panels.count > 1 ? sharedInput(convolution, tasks) : separateInputs(convolution, tasks)
        if epilogue.hasResidual { result.reusableInputs = [1] }
        return result
    }

    /// Each task transforms the inputs of its tiles for itself.
    private func separateInputs(_ convolution: WinogradConvolution, _ tasks: WinogradTasks)
        -> ScheduledOperation
    {
        let (epilogue, panels, chunks) = (epilogue, 0..<weights.panelCount, tasks.tiles)
        let inputCount = convolution.inputTiles(chunks.size).count(weights.tile)
        var result = ScheduledOperation([
            ScheduledOperation.Phase(taskCount: chunks.count) { memory, task in
                let tiles = chunks[task]
                let inputs = memory.workerScratch
                convolution.transformInput(
                    memory.input(0), tiles: tiles, blocks: 0..<convolution.input.blocks, to: inputs)
                finish(
                    convolution, epilogue, inputs, memory, memory.workerScratch + inputCount, tiles, panels)
            }
        ])
        result.workerScratchCount =
            inputCount + convolution.sumTiles(chunks.size, panelCount: panels.count).count(weights.tile)
        return result
    }

    /// The inputs of all tiles are transformed first, by channel; then each task computes some output channels.
    private func sharedInput(_ convolution: WinogradConvolution, _ tasks: WinogradTasks) -> ScheduledOperation
    {
        let (epilogue, tiles) = (epilogue, 0..<convolution.tileCount)
        let (blockChunks, panelChunks) = (tasks.blocks, tasks.panels)
        var result = ScheduledOperation([
            ScheduledOperation.Phase(taskCount: blockChunks.count) { memory, task in
                convolution.transformInput(
                    memory.input(0), tiles: tiles, blocks: blockChunks[task], to: memory.scratch)
            },
            ScheduledOperation.Phase(taskCount: panelChunks.count) { memory, task in
                finish(
                    convolution, epilogue, memory.scratch, memory, memory.workerScratch, tiles,
                    panelChunks[task])
            },
        ])
        result.scratchCount = convolution.inputTiles(tiles.count).count(weights.tile)
        result.workerScratchCount =
            convolution.sumTiles(tiles.count, panelCount: panelChunks.size).count(weights.tile)
        return result
    }

    /// The products of transformed inputs, and their outputs.
    private func finish(
        _ convolution: WinogradConvolution, _ epilogue: Epilogue, _ inputs: UnsafePointer<Float>,
        _ memory: TaskMemory, _ sums: UnsafeMutablePointer<Float>, _ tiles: Range<Int>, _ panels: Range<Int>
    ) {
        let output = memory.output(0)
        convolution.multiply(inputs, tileCount: tiles.count, panels: panels, to: sums)
        convolution.transformOutput(
            sums, tiles: tiles, panels: panels, residual: epilogue.hasResidual ? memory.input(1) : nil,
            lower: epilogue.lower, upper: epilogue.upper, to: output)
        guard epilogue.function != nil else { return }
        convolution.forEachOutputRun(tiles: tiles, panels: panels) { first, count in
            epilogue.finish(kernels, output + first, count)
        }
    }
}

/// How the work of a Winograd convolution is shared out: tiles, or where they are few, output channels.
struct WinogradTasks: Sendable {
    /// Tiles whose inputs a task transforms, counted through the items.
    let tiles: Chunks
    /// Panels of output channels; several only when all tasks work on the same tiles.
    let panels: Chunks
    /// Channel blocks of the input, transformed together in that case.
    let blocks: Chunks

    /// About the most tiles of a task: what they are transformed to stays in the caches, and weights are read often enough.
    private static let maximumTiles = 48
    /// The fewest tiles of a task where there are several.
    private static let minimumTiles = 12
    /// The same where every task reads its weights from behind the second cache.
    private static let minimumTilesOfHeavyWeights = 24
    private static let cachedByteCount = 1 << 21
    /// The multiply-adds of a task: enough to outweigh its claim.
    private static let minimumProductCount = 1 << 19
    /// Tasks for each thread, so that a late thread does not hold up the others for long.
    private static let tasksPerThread = 2

    init(_ convolution: WinogradConvolution, threadCount: Int) {
        let tileCount = convolution.tileCount
        let (products, overflow) = tileCount.multipliedReportingOverflow(by: convolution.productsPerTile)
        let affordable = overflow ? .max : max(1, products / Self.minimumProductCount)
        let panelCount = convolution.weights.panelCount
        // Rounded, not up: a few tiles more are better than reading the weights again.
        var parts = max(1, (tileCount + Self.maximumTiles / 2) / Self.maximumTiles)
        var splits = 1
        if threadCount > 1, affordable > 1 {
            let wanted = min(affordable, threadCount * Self.tasksPerThread)
            // The same number for each thread, when every thread gets few.
            parts = (parts + wanted - 1) / wanted * wanted
            let isHeavy = convolution.weights.byteCount > Self.cachedByteCount
            let minimum = isHeavy ? Self.minimumTilesOfHeavyWeights : Self.minimumTiles
            if tileCount < parts * minimum {
                (parts, splits) = (1, min(wanted, panelCount))
            }
        }
        tiles = Chunks(total: tileCount, parts: parts)
        panels = Chunks(total: panelCount, parts: splits)
        let blockCount = convolution.input.blocks
        blocks = Chunks(total: blockCount, parts: splits)
    }
}
