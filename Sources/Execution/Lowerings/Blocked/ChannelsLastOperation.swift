import Graph
import Kernels
import Tensors

/// A transpose between a blocked value and a plain one with its channels last: both keep neighbouring channels together.
struct ChannelsLastOperation: LoweredOperation {
    /// Whether the blocked value is what it writes.
    let isBack: Bool

    var kernelName: String { isBack ? "copy to blocks, from channels last" : "copy of blocks, channels last" }

    func schedule(_ shapes: StepShapes, threadCount: Int) throws(ExecutionError) -> ScheduledOperation {
        guard let shape = BlockedShape(isBack ? shapes.outputs[0] : shapes.inputs[0]) else {
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
                    let place = item * shape.itemStride + block * shape.blockStride
                    let row = item * shape.pixels * shape.channels + block * size
                    let source = memory.input(0) + (isBack ? row : place)
                    let target = memory.output(0) + (isBack ? place : row)
                    let (sourceStep, targetStep) = isBack ? (shape.channels, size) : (size, shape.channels)
                    for pixel in pixels[task % pixels.count] {
                        (target + pixel * targetStep).update(from: source + pixel * sourceStep, count: count)
                    }
                }
            }
        ])
    }
}
