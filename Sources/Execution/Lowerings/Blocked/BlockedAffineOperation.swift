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
                    kernels.functions.pointee.channel_affine(
                        memory.output(0) + place, memory.input(0) + place, scale.pointer + block * size,
                        shift.pointer + block * size, pixels.count, epilogue.lower, epilogue.upper)
                    epilogue.finish(kernels, memory.output(0) + place, pixels.count * size)
                }
            }
        ])
        result.reusableInputs = [0]
        return result
    }
}
