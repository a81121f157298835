import CKernels
import Graph
import Kernels
import Tensors

/// y = scale · x + shift for each channel of a blocked value, where it can in place.
struct BlockedAffineOperation: EpilogueOperation {
    /// [blocks][16] each.
    let scale: FloatMemory
    let shift: FloatMemory
    let kernels: KernelTable
    var epilogue = Epilogue()

    var isItemwise: Bool { true }
    var kernelName: String { "\(kernels.instructionSet.rawValue) affine, blocked" + epilogue.name }

    var addsResidual: Bool { false }

    func schedule(_ shapes: StepShapes, threadCount: Int) throws(ExecutionError) -> ScheduledOperation {
        guard let shape = BlockedShape(shapes.outputs[0]) else {
            throw .memory(byteCount: .max, limit: WindowGeometry.maximumPlaneCount)
        }
        guard shape.count > 0 else { return ScheduledOperation([]) }
        let tasks = BlockedRows(shape, threadCount: threadCount)
        let size = BlockedShape.blockSize
        var result = ScheduledOperation([
            ScheduledOperation.Phase(taskCount: tasks.count) { memory, task in
                tasks.forEachPiece(task) { plane, block, pixels in
                    let place = plane * shape.blockStride + pixels.lowerBound * size
                    run(
                        from: memory.input(0) + place, to: memory.output(0) + place, block: block,
                        pixelCount: pixels.count)
                }
            }
        ])
        result.reusableInputs = [0]
        return result
    }

    /// Computes pixels of one channel block.
    func run(
        from source: UnsafePointer<Float>, to target: UnsafeMutablePointer<Float>, block: Int, pixelCount: Int
    ) {
        let first = block * BlockedShape.blockSize
        kernels.functions.pointee.channel_affine(
            target, source, scale.pointer + first, shift.pointer + first, pixelCount, epilogue.lower,
            epilogue.upper)
        epilogue.finish(kernels, target, pixelCount * BlockedShape.blockSize)
    }
}
