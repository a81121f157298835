import CKernels
import Graph
import Kernels
import Tensors

/// A convolution from blocked to blocked: tiles of pixels × channels that stay in registers for the whole sum.
struct BlockedConvolutionOperation: LoweredOperation {
    let window: Window
    let kernel: [Int]
    let weights: BlockedWeights
    let kernels: KernelTable
    var epilogue = Epilogue()

    /// The floats of source pixels of a task: they stay in the second cache while the panels go over them.
    private static let maximumSourceCount = 48 * 1024
    /// The multiply-adds of a task: enough to outweigh its claim by far.
    private static let minimumProductCount = 1 << 20

    var kernelName: String {
        let name = weights.taps == 1 ? "pointwise" : "direct"
        return "\(kernels.instructionSet.rawValue) \(name) convolution, blocked" + epilogue.name
    }

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
        guard let source = BlockedShape(input), let target = BlockedShape(output),
            let axes = WindowAxis.axes(window, kernel: kernel, input: input, output: output),
            let convolution = BlockedConvolution(
                weights: weights, axes: axes,
                source: .init(itemStride: source.itemStride, blockStride: source.blockStride),
                output: .init(itemStride: target.itemStride, blockStride: target.blockStride))
        else { throw .memory(byteCount: .max, limit: WindowGeometry.maximumPlaneCount) }
        guard target.count > 0 else { return ScheduledOperation([]) }
        let tasks = BlockedTasks(
            weights: weights, pixels: target.items * target.pixels,
            tilePixels: kernels.functions.pointee.tilePixels,
            threadCount: threadCount)
        var result = ScheduledOperation([
            ScheduledOperation.Phase(taskCount: tasks.count) { memory, task in
                let (group, pixels, panels) = tasks[task]
                let (sourceOffset, outputOffset) = convolution.offsets(group: group)
                var c = convolution.task(group: group)
                c.source = memory.input(0) + sourceOffset
                c.output = memory.output(0) + outputOffset
                if epilogue.hasResidual { c.residual = memory.input(1) + outputOffset }
                (c.firstPixel, c.pixelCount) = (pixels.lowerBound, pixels.count)
                (c.firstPanel, c.panelCount) = (panels.lowerBound, panels.count)
                (c.lower, c.upper) = (epilogue.lower, epilogue.upper)
                kernels.functions.pointee.blocked_convolution(&c)
                guard epilogue.function != nil else { return }
                let blocks = Int(c.panelCount) * weights.panelChannels / BlockedShape.blockSize
                let first = Int(c.firstPanel) * weights.panelChannels / BlockedShape.blockSize
                let last = min(first + blocks, (weights.outputChannels - 1) / BlockedShape.blockSize + 1)
                target.forEachRun(pixels) { item, run in
                    for block in first..<last {
                        epilogue.finish(
                            kernels,
                            c.output + item * target.itemStride + block * target.blockStride
                                + run.lowerBound * BlockedShape.blockSize, run.count * BlockedShape.blockSize)
                    }
                }
            }
        ])
        // A tile reads its residual just before it writes there.
        if epilogue.hasResidual { result.reusableInputs = [1] }
        return result
    }
}

/// The tasks of a blocked convolution: a range of pixels, counted through the items, and of panels of one group.
struct BlockedTasks {
    private let pixels: Chunks
    private let panels: Chunks
    private let groups: Int

    /// The floats of a task's source pixels: they stay in the second cache while the panels go over them.
    private static let maximumSourceCount = 48 * 1024
    /// The multiply-adds of a task: enough to outweigh its claim by far.
    private static let minimumProductCount = 1 << 20
    /// Tasks for each thread, so that a late thread does not hold up the others for long.
    private static let tasksPerThread = 4
    /// Tiles of a task, so that its weights are read often enough.
    private static let minimumTiles = 8

    init(weights: BlockedWeights, pixels count: Int, tilePixels: Int, threadCount: Int) {
        groups = weights.groups
        let products = weights.outputChannels * weights.inputChannels * weights.taps
        let wanted = threadCount == 1 ? 1 : threadCount * Self.tasksPerThread
        var size = Self.maximumSourceCount / weights.inputChannels
        if threadCount > 1 {
            size = min(size, count * groups / wanted)
            size = max(size, Self.minimumProductCount / products)
        }
        size = max(size, tilePixels * Self.minimumTiles)
        // As equal as can be: a short last task would not fill its tiles.
        let parts = max(1, (count + size / 2) / size)
        pixels = Chunks(total: count, size: (count + parts - 1) / parts)
        // Few pixels are shared out by output channel.
        let splits = min(
            weights.panelCount, wanted / (pixels.count * groups),
            products * min(pixels.size, count) / Self.minimumProductCount)
        panels = Chunks(total: weights.panelCount, size: (weights.panelCount - 1) / max(1, splits) + 1)
    }

    var count: Int { pixels.count * panels.count * groups }

    subscript(task: Int) -> (group: Int, pixels: Range<Int>, panels: Range<Int>) {
        let rest = task / panels.count
        return (rest / pixels.count, pixels[rest % pixels.count], panels[task % panels.count])
    }
}
