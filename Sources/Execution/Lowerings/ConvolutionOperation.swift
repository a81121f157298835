import CKernels
import Graph
import Kernels
import Tensors

/// A convolution as a matrix product: weights [outputs, inputs · taps] by the patches under the window.
///
/// Patches are packed a block of pixels and a block of the depth at a time, into a cache, just before they are used.
struct ConvolutionOperation: EpilogueOperation {
    let window: Window
    let kernel: [Int]
    let group: Int
    /// In each group.
    let inputChannels: Int
    /// One matrix a group.
    let weights: PackedMatrix
    let bias: FloatMemory?
    let kernels: KernelTable
    var epilogue = Epilogue()

    var kernelName: String {
        "\(kernels.instructionSet.rawValue) convolution by patches" + epilogue.name
    }

    func schedule(_ shapes: StepShapes, threadCount: Int) throws(ExecutionError) -> ScheduledOperation {
        let (input, output) = (shapes.inputs[0], shapes.outputs[0])
        guard let geometry = WindowGeometry(window, kernel: kernel, input: input, output: output) else {
            throw .memory(byteCount: .max, limit: WindowGeometry.maximumPlaneCount)
        }
        guard output.count > 0 else { return ScheduledOperation([]) }
        var phases: [ScheduledOperation.Phase] = []
        let planes = PreparedPlanes(geometry, planes: input[0] * input[1])
        if let planes { phases.append(planes.phase) }
        let product = PatchProduct(
            weights: weights, inputChannels: inputChannels, geometry: geometry, items: output[0],
            kernels: kernels, threadCount: threadCount, bias: bias, epilogue: epilogue)
        phases.append(ScheduledOperation.Phase(taskCount: product.taskCount) { product.run($0, $1) })
        var result = ScheduledOperation(phases)
        result.scratchCount = planes?.scratchCount ?? 0
        result.workerScratchCount = product.scratchCount
        // Sums that are complete only after several blocks of the depth wait in the output: the residual is needed later.
        if epilogue.hasResidual, weights.depth <= PatchProduct.depthBlock { result.reusableInputs = [1] }
        return result
    }
}
