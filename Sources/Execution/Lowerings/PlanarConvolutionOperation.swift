import CKernels
import Graph
import Kernels
import Tensors

/// A convolution of few input channels, from plain to blocked: the first of a network.
struct PlanarConvolutionOperation: EpilogueOperation {
    let window: Window
    let kernel: [Int]
    let inputChannels: Int
    /// With one input channel, and a tap for each tap of each real one.
    let weights: BlockedWeights
    let kernels: KernelTable
    var epilogue = Epilogue()

    /// The most input channels: with more of them their blocks are full enough.
    static let maximumChannels = 8

    var kernelName: String {
        "\(kernels.instructionSet.rawValue) convolution from planes, blocked" + epilogue.name
    }

    var isItemwise: Bool { true }
    var weightByteCount: Int { weights.memory.count * MemoryLayout<Float>.stride }

    func schedule(_ shapes: StepShapes, threadCount: Int) throws(ExecutionError) -> ScheduledOperation {
        let (input, output) = (shapes.inputs[0], shapes.outputs[0])
        guard let geometry = WindowGeometry(window, kernel: kernel, input: input, output: output),
            let target = BlockedShape(output)
        else { throw .memory(byteCount: .max, limit: WindowGeometry.maximumPlaneCount) }
        guard target.count > 0 else { return ScheduledOperation([]) }
        let convolution = BlockedConvolution(
            weights: weights, channels: inputChannels, geometry: geometry,
            output: .init(itemStride: target.itemStride, blockStride: target.blockStride))
        let product = BlockedProduct(
            convolution: convolution, weights: weights, target: target, kernels: kernels, epilogue: epilogue,
            isPlanar: true, threadCount: threadCount)
        let isDirect = geometry.isDirect
        var phases: [ScheduledOperation.Phase] = []
        let planes = PreparedPlanes(geometry, planes: input[0] * input[1])
        if let planes { phases.append(planes.phase) }
        phases.append(
            ScheduledOperation.Phase(taskCount: product.taskCount) { memory, task in
                product.run(
                    memory, task, source: isDirect ? memory.input(0) : UnsafePointer(memory.scratch))
            })
        var result = ScheduledOperation(phases)
        result.scratchCount = planes?.scratchCount ?? 0
        // A tile reads its residual just before it writes there.
        if epilogue.hasResidual { result.reusableInputs = [1] }
        return result
    }
}
