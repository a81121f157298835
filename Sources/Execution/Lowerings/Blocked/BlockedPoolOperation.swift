import CKernels
import Graph
import Kernels
import Tensors

/// The greatest element or the mean under a window, from blocked to blocked.
struct BlockedPoolOperation: LoweredOperation {
    let pool: PoolOperation

    var isItemwise: Bool { true }
    var kernelName: String { pool.kernelName + ", blocked" }

    func schedule(_ shapes: StepShapes, threadCount: Int) throws(ExecutionError) -> ScheduledOperation {
        let (input, output) = (shapes.inputs[0], shapes.outputs[0])
        let kind = pool.isMaximum ? CK_WINDOW_MAXIMUM : CK_WINDOW_SUM
        guard let source = BlockedShape(input), let target = BlockedShape(output),
            let axes = WindowAxis.axes(pool.window, kernel: pool.kernel, input: input, output: output),
            let window = BlockedWindow(kind, axes: axes)
        else { throw .memory(byteCount: .max, limit: WindowGeometry.maximumPlaneCount) }
        guard target.count > 0 else { return ScheduledOperation([]) }
        let tasks = BlockedRows(target, rowPixels: window.rowPixels, threadCount: threadCount)
        let divisors = pool.isMaximum ? nil : FloatMemory(pool.divisors(input, output))
        return ScheduledOperation([
            ScheduledOperation.Phase(taskCount: tasks.count) { memory, task in
                tasks.forEachPiece(task) { plane, block, rows in
                    var piece = window.task(block: block)
                    piece.source = memory.input(0) + plane * source.blockStride
                    piece.destination = memory.output(0) + plane * target.blockStride
                    if let divisors { piece.divisors = UnsafePointer(divisors.pointer) }
                    (piece.firstRow, piece.rowCount) = (rows.lowerBound, rows.count)
                    pool.kernels.functions.pointee.blocked_window(&piece)
                }
            }
        ])
    }
}
