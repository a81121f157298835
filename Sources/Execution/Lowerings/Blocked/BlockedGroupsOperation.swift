import CKernels
import Graph
import Kernels
import Tensors

/// A convolution from blocked to blocked whose groups have as many output as input channels: one (depthwise), or some that lie
/// side by side in a vector.
struct BlockedGroupsOperation: EpilogueOperation {
    let window: Window
    let kernel: [Int]
    /// The channels of a group.
    let groupChannels: Int
    /// [blocks][channels of a group][taps][16]
    let weights: FloatMemory
    /// [blocks][16]
    let bias: FloatMemory
    let kernels: KernelTable
    var epilogue = Epilogue()

    var isItemwise: Bool { true }
    var weightByteCount: Int { weights.count * MemoryLayout<Float>.stride }
    var kernelName: String {
        "\(kernels.instructionSet.rawValue) \(convolutionName) convolution, blocked" + epilogue.name
    }
    var convolutionName: String { groupChannels == 1 ? "depthwise" : "grouped" }

    /// `weight`: [channels, channels of a group, kernel…]
    init(window: Window, weight: Tensor, bias: [Float]?, kernels: KernelTable) throws(TensorError) {
        self.window = window
        self.kernels = kernels
        groupChannels = weight.shape[1]
        kernel = Array(weight.shape.dimensions.dropFirst(2))
        weights = FloatMemory(
            blocking: try weight.elements(as: Float.self), lines: kernel.reduce(groupChannels, *))
        self.bias = FloatMemory(
            blocking: bias ?? [Float](repeating: 0, count: weight.shape[0]), lines: 1)
    }

    func schedule(_ shapes: StepShapes, threadCount: Int) throws(ExecutionError) -> ScheduledOperation {
        let (input, output) = (shapes.inputs[0], shapes.outputs[0])
        guard let source = BlockedShape(input), let target = BlockedShape(output),
            let axes = WindowAxis.axes(window, kernel: kernel, input: input, output: output),
            let window = BlockedWindow(axes: axes, weights: weights, groupChannels: groupChannels)
        else { throw .memory(byteCount: .max, limit: WindowGeometry.maximumPlaneCount) }
        guard target.count > 0 else { return ScheduledOperation([]) }
        let tasks = BlockedRows(target, rowPixels: window.rowPixels, threadCount: threadCount)
        let rowCount = window.rowPixels * BlockedShape.blockSize
        var result = ScheduledOperation([
            ScheduledOperation.Phase(taskCount: tasks.count) { memory, task in
                tasks.forEachPiece(task) { plane, block, rows in
                    var piece = window.task(block: block)
                    let place = plane * target.blockStride
                    piece.source = memory.input(0) + plane * source.blockStride
                    piece.destination = memory.output(0) + place
                    piece.initial = UnsafePointer(bias.pointer + block * BlockedShape.blockSize)
                    if epilogue.hasResidual { piece.residual = memory.input(1) + place }
                    (piece.firstRow, piece.rowCount) = (rows.lowerBound, rows.count)
                    (piece.lower, piece.upper) = (epilogue.lower, epilogue.upper)
                    kernels.functions.pointee.blocked_window(&piece)
                    epilogue.finish(
                        kernels, piece.destination + rows.lowerBound * rowCount, rows.count * rowCount)
                }
            }
        ])
        // A tile reads its residual just before it writes there.
        if epilogue.hasResidual { result.reusableInputs = [1] }
        return result
    }
}
