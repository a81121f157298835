import CKernels
import Kernels

/// The tasks of a convolution to blocked: each computes a range of pixels, counted through the items, and of panels of one
/// group.
struct BlockedProduct: Sendable {
    private let convolution: BlockedConvolution
    private let weights: BlockedWeights
    private let target: BlockedShape
    private let kernels: KernelTable
    private let epilogue: Epilogue
    /// How plain planes are read.
    private let planes: PlanarWindow?
    private let pixels: Chunks
    private let panels: Chunks
    /// Where threads share few panels: how many each has to itself, for all pixels; of those left over it has a share of the pixels.
    private let panelsOfThread: Int?
    /// Whether a task brings its source pixels together.
    private let isPacked: Bool
    /// The floats for source pixels of a thread; 0 where they are read as they lie.
    let workerScratchCount: Int

    /// The floats of a task's source pixels: they stay in the second cache while the panels go over them.
    private static let maximumSourceCount = 48 * 1024
    /// The floats of a task's outputs, where a function goes over them again.
    private static let maximumFinishedCount = 32 * 1024
    /// The multiply-adds of a task: enough to outweigh its claim by far.
    private static let minimumProductCount = 1 << 20
    /// Tasks for each thread, so that a late thread does not hold up the others for long.
    private static let tasksPerThread = 4
    /// Tiles of a task, so that its weights are read often enough.
    private static let minimumTiles = 8
    /// Panels of a task for which bringing its pixels together takes less time than it saves.
    private static let minimumPanelsOfPacked = 4

    /// `planes`: of a source of plain planes; `isApart`: whether a single tap's pixels lie apart from each other.
    init(
        convolution: BlockedConvolution, weights: BlockedWeights, target: BlockedShape, kernels: KernelTable,
        epilogue: Epilogue, planes: PlanarWindow? = nil, isApart: Bool = false, threadCount: Int
    ) {
        self.convolution = convolution
        self.weights = weights
        self.target = target
        self.kernels = kernels
        self.epilogue = epilogue
        self.planes = planes
        let count = target.items * target.pixels
        let products = weights.outputChannels * weights.inputChannels * weights.taps
        var size = Self.maximumSourceCount / weights.inputChannels
        if epilogue.function != nil { size = min(size, Self.maximumFinishedCount / weights.outputChannels) }
        var parts = 1
        var panelParts = 1
        var panelsOfThread: Int?
        if threadCount > 1, weights.groups == 1 {
            if target.isSharedByPixels(threadCount) {
                size = max(
                    min(size, count / (threadCount * Self.tasksPerThread)),
                    Self.minimumProductCount / products)
                parts = threadCount
            } else {
                // The same number for each thread.
                let tasks = min(
                    Self.tasksPerThread, products * count / Self.minimumProductCount / threadCount)
                panelParts = threadCount * max(1, tasks)
                let isUneven = !weights.panelCount.isMultiple(of: threadCount)
                if isUneven, weights.panelCount < threadCount * Self.tasksPerThread {
                    panelsOfThread = weights.panelCount / threadCount
                    (parts, panelParts) = (threadCount, weights.panelCount)
                }
            }
        }
        size = max(size, kernels.functions.pointee.tilePixels * Self.minimumTiles)
        // As equal as can be: a short last task would not fill its tiles.
        let chunks = max(1, (count + size / 2) / size)
        parts = (chunks + parts - 1) / parts * parts
        pixels = Chunks(total: count, parts: parts, unit: planes?.rowUnit ?? 1)
        panels = Chunks(total: weights.panelCount, parts: panelParts)
        self.panelsOfThread = pixels.count == threadCount ? panelsOfThread : nil
        isPacked = isApart && weights.groups == 1 && panels.size >= Self.minimumPanelsOfPacked
        let blocks = (weights.inputChannels + BlockedShape.blockSize - 1) / BlockedShape.blockSize
        let packedPixels = min(pixels.size, target.pixels, kernels.functions.pointee.runPixels)
        workerScratchCount =
            planes?.scratchCount ?? (isPacked ? packedPixels * blocks * BlockedShape.blockSize : 0)
    }

    var taskCount: Int {
        guard let panelsOfThread else { return pixels.count * panels.count * weights.groups }
        return (panelsOfThread + sharedPanelCount) * pixels.count
    }

    /// The panels that no thread has to itself.
    private var sharedPanelCount: Int { panels.count - (panelsOfThread ?? 0) * pixels.count }

    /// What a task computes.
    private func part(_ task: Int) -> (pixels: Range<Int>, panels: Range<Int>, group: Int) {
        guard let panelsOfThread else {
            return (
                pixels[task / panels.count % pixels.count], panels[task % panels.count],
                task / panels.count / pixels.count
            )
        }
        let (thread, number) = task.quotientAndRemainder(dividingBy: panelsOfThread + sharedPanelCount)
        return number < panelsOfThread
            ? (0..<pixels.total, panels[thread * panelsOfThread + number], 0)
            : (pixels[thread], panels[panels.count - sharedPanelCount + number - panelsOfThread], 0)
    }

    /// The source is the step's first input, the residual its second.
    func run(_ memory: TaskMemory, _ task: Int) {
        let (pixels, panels, group) = part(task)
        let offsets = convolution.offsets(group: group)
        var c = convolution.task(group: group)
        c.source = memory.input(0) + offsets.source
        c.output = memory.output(0) + offsets.output
        if epilogue.hasResidual { c.residual = memory.input(1) + offsets.output }
        (c.firstPixel, c.pixelCount) = (pixels.lowerBound, pixels.count)
        (c.firstPanel, c.panelCount) = (panels.lowerBound, panels.count)
        (c.lower, c.upper) = (epilogue.lower, epilogue.upper)
        if isPacked { c.packed = memory.workerScratch }
        if let planes {
            run(planes, &c, pixels, memory)
        } else {
            kernels.functions.pointee.blocked_convolution(&c)
        }
        if epilogue.function != nil { finish(c.output, pixels, panels) }
    }

    /// Runs a task from plain planes, strip by strip where they are copied.
    private func run(
        _ planes: PlanarWindow, _ c: inout ck_blocked_convolution, _ pixels: Range<Int>, _ memory: TaskMemory
    ) {
        guard !planes.isDirect else { return kernels.functions.pointee.planar_convolution(&c) }
        planes.forEachStrip(of: pixels) { strip in
            let item = memory.input(0) + strip.item * planes.inputCount
            c.source = planes.copy(item, strip, into: memory.workerScratch)
            (c.firstPixel, c.pixelCount) = (strip.first, strip.count)
            kernels.functions.pointee.planar_convolution(&c)
        }
    }

    /// Applies the epilogue's function to what a task has computed.
    private func finish(_ output: UnsafeMutablePointer<Float>, _ pixels: Range<Int>, _ panels: Range<Int>) {
        let size = BlockedShape.blockSize
        let first = panels.lowerBound * weights.panelChannels / size
        let end = min(panels.upperBound * weights.panelChannels, weights.outputChannels)
        target.forEachRun(pixels) { item, run in
            for block in first..<(end + size - 1) / size {
                let place = item * target.itemStride + block * target.blockStride + run.lowerBound * size
                epilogue.finish(kernels, output + place, run.count * size)
            }
        }
    }
}
