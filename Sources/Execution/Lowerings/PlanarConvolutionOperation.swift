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
        guard let axes = WindowAxis.axes(window, kernel: kernel, input: input, output: output),
            let planes = PlanarWindow(axes, channels: inputChannels), let target = BlockedShape(output)
        else { throw .memory(byteCount: .max, limit: WindowGeometry.maximumPlaneCount) }
        guard target.count > 0 else { return ScheduledOperation([]) }
        let convolution = BlockedConvolution(
            weights: weights, window: planes,
            output: .init(itemStride: target.itemStride, blockStride: target.blockStride))
        let product = BlockedProduct(
            convolution: convolution, weights: weights, target: target, kernels: kernels, epilogue: epilogue,
            planes: planes, threadCount: threadCount)
        var result = ScheduledOperation([
            ScheduledOperation.Phase(taskCount: product.taskCount) { product.run($0, $1) }
        ])
        result.workerScratchCount = product.workerScratchCount
        // A tile reads its residual just before it writes there.
        if epilogue.hasResidual { result.reusableInputs = [1] }
        return result
    }
}
