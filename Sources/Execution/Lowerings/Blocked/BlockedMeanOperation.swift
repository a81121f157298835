import CKernels
import Graph
import Kernels
import Tensors

/// The sum or the mean of every channel of a blocked value.
struct BlockedMeanOperation: LoweredOperation {
    let divides: Bool
    /// [items, channels, 1…] in blocks, or [items, channels].
    let isBlocked: Bool
    let kernels: KernelTable

    var isItemwise: Bool { true }
    var kernelName: String {
        "\(kernels.instructionSet.rawValue) \(divides ? "mean" : "sum") of channels, "
            + (isBlocked ? "blocked" : "from blocked")
    }

    func schedule(_ shapes: StepShapes, threadCount: Int) throws(ExecutionError) -> ScheduledOperation {
        guard let source = BlockedShape(shapes.inputs[0]) else {
            throw .memory(byteCount: .max, limit: WindowGeometry.maximumPlaneCount)
        }
        guard shapes.outputs[0].count > 0 else { return ScheduledOperation([]) }
        let divisor = divides ? Float(source.pixels) : 1
        let chunks = Chunks.rows(source.items * source.blocks, length: source.blockStride)
        let size = BlockedShape.blockSize
        var result = ScheduledOperation([
            ScheduledOperation.Phase(taskCount: chunks.count) { memory, task in
                let mean = kernels.functions.pointee.channel_mean!
                for plane in chunks[task] {
                    let from = memory.input(0) + plane * source.blockStride
                    let first = plane % source.blocks * size
                    let channels = min(size, source.channels - first)
                    if isBlocked || channels == size {
                        let place = isBlocked ? plane * size : plane / source.blocks * source.channels + first
                        mean(memory.output(0) + place, from, source.pixels, divisor)
                    } else {
                        mean(memory.workerScratch, from, source.pixels, divisor)
                        (memory.output(0) + plane / source.blocks * source.channels + first)
                            .update(from: memory.workerScratch, count: channels)
                    }
                }
            }
        ])
        result.workerScratchCount = size
        return result
    }
}
