import CKernels
import Graph
import Kernels
import Tensors

/// A pointwise convolution and the depthwise or grouped one behind it, a strip of rows of some channels at a time: what lies
/// between them never leaves the thread's own cache.
///
/// The sums are those of the two operations apart.
struct ExpandedGroupsOperation: EpilogueOperation {
    private let expansion: BlockedConvolutionOperation
    private var groups: BlockedGroupsOperation

    /// The most floats of a channel block's strip: half of the second cache.
    private static let maximumStripCount = 1 << 16
    /// Tasks for each thread, so that a late thread does not hold up the others for long.
    private static let tasksPerThread = 4

    /// `nil` where the first is not pointwise with stride 1 or has a residual, or the second is not two-dimensional.
    init?(_ expansion: BlockedConvolutionOperation, _ groups: BlockedGroupsOperation) {
        guard expansion.isPointwise, expansion.weights.groups == 1, !expansion.epilogue.hasResidual,
            groups.kernel.count == 2, groups.kernel.contains(where: { $0 > 1 })
        else { return nil }
        self.expansion = expansion
        self.groups = groups
    }

    var isItemwise: Bool { true }
    var weightByteCount: Int { expansion.weightByteCount + groups.weightByteCount }

    var kernelName: String {
        let set = groups.kernels.instructionSet.rawValue
        return
            "\(set) pointwise and \(groups.convolutionName) convolution, blocked\(expansion.epilogue.name)\(groups.epilogue.name)"
    }

    var epilogue: Epilogue {
        get { groups.epilogue }
        set { groups.epilogue = newValue }
    }

    func schedule(_ shapes: StepShapes, threadCount: Int) throws(ExecutionError) -> ScheduledOperation {
        let (input, output) = (shapes.inputs[0], shapes.outputs[0])
        let weights = expansion.weights
        let extents = Array(input.dimensions.dropFirst(2))
        guard let between = try? Shape([input[0], weights.outputChannels] + extents),
            let source = BlockedShape(input), let target = BlockedShape(output),
            let wide = WindowAxis.axes(
                expansion.window, kernel: expansion.kernel, input: input, output: between),
            let axes = WindowAxis.axes(
                groups.window, kernel: groups.kernel, input: between, output: output),
            let window = BlockedWindow(
                axes: axes, weights: groups.weights, groupChannels: groups.groupChannels)
        else { throw .memory(byteCount: .max, limit: WindowGeometry.maximumPlaneCount) }
        guard target.count > 0 else { return ScheduledOperation([]) }
        let strips = Strips(axes[0], rowCount: axes[1].input * BlockedShape.blockSize, target, threadCount)
        guard
            let convolution = BlockedConvolution(
                weights: weights, axes: wide,
                source: .init(itemStride: source.itemStride, blockStride: source.blockStride),
                output: .init(itemStride: 0, blockStride: strips.scratchCount))
        else { throw .memory(byteCount: .max, limit: WindowGeometry.maximumPlaneCount) }
        let blocksInPanel = weights.panelChannels / BlockedShape.blockSize
        let tasksAStrip = max(1, threadCount * Self.tasksPerThread / max(1, strips.rows.count * target.items))
        let panels = Chunks(
            total: weights.panelCount, parts: threadCount == 1 ? 1 : tasksAStrip)
        let (expanded, groups) = (expansion.epilogue, groups)
        let kernels = groups.kernels
        let rowCount = window.rowPixels * BlockedShape.blockSize
        var result = ScheduledOperation([
            ScheduledOperation.Phase(taskCount: target.items * strips.rows.count * panels.count) {
                memory, task in
                let rows = strips.rows[task / panels.count % strips.rows.count]
                let item = task / panels.count / strips.rows.count
                let needed = strips.needed(rows)
                let scratch = memory.workerScratch
                var c = convolution.task(group: 0)
                c.source = memory.input(0) + item * source.itemStride
                (c.firstPixel, c.pixelCount) = (
                    needed.lowerBound * axes[1].input, needed.count * axes[1].input
                )
                (c.lower, c.upper) = (expanded.lower, expanded.upper)
                c.panelCount = 1
                for panel in panels[task % panels.count] {
                    let first = panel * blocksInPanel
                    c.firstPanel = panel
                    c.output = scratch - first * strips.scratchCount - c.firstPixel * BlockedShape.blockSize
                    if c.pixelCount > 0 { kernels.functions.pointee.blocked_convolution(&c) }
                    for block in first..<min(first + blocksInPanel, target.blocks) {
                        let place = (item * target.blocks + block) * target.blockStride
                        expanded.finish(
                            kernels, scratch + (block - first) * strips.scratchCount,
                            c.pixelCount * BlockedShape.blockSize)
                        var piece = window.task(block: block)
                        piece.source = UnsafePointer(c.output + block * strips.scratchCount)
                        piece.destination = memory.output(0) + place
                        piece.initial = UnsafePointer(groups.bias.pointer + block * BlockedShape.blockSize)
                        if groups.epilogue.hasResidual { piece.residual = memory.input(1) + place }
                        (piece.firstRow, piece.rowCount) = (rows.lowerBound, rows.count)
                        (piece.lower, piece.upper) = (groups.epilogue.lower, groups.epilogue.upper)
                        kernels.functions.pointee.blocked_window(&piece)
                        groups.epilogue.finish(
                            kernels, piece.destination + rows.lowerBound * rowCount, rows.count * rowCount)
                    }
                }
            }
        ])
        result.workerScratchCount = blocksInPanel * strips.scratchCount
        // A tile reads its residual just before it writes there.
        if groups.epilogue.hasResidual { result.reusableInputs = [1] }
        return result
    }

    /// Rows of the output that are computed together, and the rows between the two convolutions that they are made of.
    private struct Strips {
        /// Of an item.
        let rows: Chunks
        /// The floats of a channel block's strip.
        let scratchCount: Int
        private let axis: WindowAxis

        /// The rows of a thread for each that its neighbour computes too.
        private static let rowsPerOverlap = 4

        /// `rowCount`: the floats of a row between the convolutions.
        init(_ axis: WindowAxis, rowCount: Int, _ target: BlockedShape, _ threadCount: Int) {
            self.axis = axis
            let reach = (axis.kernel - 1) * axis.dilation + 1
            let fitting = max(
                1, (ExpandedGroupsOperation.maximumStripCount / max(1, rowCount) - reach) / axis.stride)
            var parts = (axis.output + fitting - 1) / fitting
            // Where few rows would be computed for two strips; else threads share the channels.
            let isOverlapSmall =
                axis.output * axis.stride >= threadCount * Self.rowsPerOverlap * (reach - axis.stride)
            if target.items < threadCount, target.isSharedByPixels(threadCount), isOverlapSmall {
                parts = (parts + threadCount - 1) / threadCount * threadCount
            }
            rows = Chunks(total: axis.output, parts: parts)
            scratchCount = min(axis.input, (rows.size - 1) * axis.stride + reach) * rowCount
        }

        func needed(_ rows: Range<Int>) -> Range<Int> {
            let first = max(0, rows.lowerBound * axis.stride - axis.padBegin)
            let end =
                (rows.upperBound - 1) * axis.stride - axis.padBegin + (axis.kernel - 1) * axis.dilation + 1
            return min(first, axis.input)..<max(min(first, axis.input), min(axis.input, end))
        }
    }
}
