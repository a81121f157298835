import Graph
import Kernels
import Tensors

/// A transpose of a blocked value to channels last, plain: both keep neighbouring channels together.
struct ChannelsLastOperation: LoweredOperation {
    var kernelName: String { "copy of blocks, channels last" }

    func schedule(_ shapes: StepShapes, threadCount: Int) throws(ExecutionError) -> ScheduledOperation {
        guard let shape = BlockedShape(shapes.inputs[0]) else {
            throw .memory(byteCount: .max, limit: WindowGeometry.maximumPlaneCount)
        }
        guard shape.count > 0 else { return ScheduledOperation([]) }
        let size = BlockedShape.blockSize
        // A task is some pixels of an item, all channels of each.
        let pixels = Chunks.rows(shape.pixels, length: shape.channels)
        return ScheduledOperation([
            ScheduledOperation.Phase(taskCount: shape.items * pixels.count) { memory, task in
                let item = task / pixels.count
                for block in 0..<shape.blocks {
                    let count = min(size, shape.channels - block * size)
                    let source = memory.input(0) + item * shape.itemStride + block * shape.blockStride
                    let target = memory.output(0) + item * shape.pixels * shape.channels + block * size
                    for pixel in pixels[task % pixels.count] {
                        (target + pixel * shape.channels).update(from: source + pixel * size, count: count)
                    }
                }
            }
        ])
    }
}
