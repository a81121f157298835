import CKernels
import Graph
import Kernels
import Tensors

/// Copies a value from one layout to the other, between steps that do not agree on it.
struct ReorderOperation: LoweredOperation {
    /// The layout of the result.
    let target: ValueLayout

    var kernelName: String { "reorder to \(target.rawValue)" }

    var isItemwise: Bool { true }

    func schedule(_ shapes: StepShapes, threadCount: Int) throws(ExecutionError) -> ScheduledOperation {
        guard let shape = BlockedShape(shapes.inputs[0]) else {
            throw .memory(byteCount: .max, limit: WindowGeometry.maximumPlaneCount)
        }
        if shape.isPlainToo { return ScheduledOperation(.view(input: 0)) }
        guard shape.count > 0 else { return ScheduledOperation([]) }
        let chunks = Chunks.rows(shape.pixels, length: BlockedShape.blockSize)
        let (blocks, pixels) = (shape.blocks, shape.pixels)
        // A task is some pixels of one channel block.
        return ScheduledOperation([
            ScheduledOperation.Phase(taskCount: shape.items * blocks * chunks.count) { memory, task in
                let range = chunks[task % chunks.count]
                let block = task / chunks.count % blocks
                let item = task / chunks.count / blocks
                let channels = min(BlockedShape.blockSize, shape.channels - block * BlockedShape.blockSize)
                let blocked = item * shape.itemStride + block * shape.blockStride
                let plain = (item * shape.channels + block * BlockedShape.blockSize) * pixels
                switch target {
                case .blocked:
                    ck_plain_to_blocked(
                        memory.output(0) + blocked, memory.input(0) + plain, channels, pixels,
                        range.lowerBound,
                        range.count)
                case .plain:
                    ck_blocked_to_plain(
                        memory.output(0) + plain, memory.input(0) + blocked, channels, pixels,
                        range.lowerBound,
                        range.count)
                }
            }
        ])
    }
}
