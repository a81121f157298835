import CKernels
import Graph
import Kernels
import Tensors

/// A convolution from blocked to blocked: tiles of pixels × channels that stay in registers for the whole sum.
struct BlockedConvolutionOperation: LoweredOperation {
    let window: Window
    let kernel: [Int]
    let weights: BlockedWeights
    let kernels: KernelTable
    var epilogue = Epilogue()

    var kernelName: String {
        let name = weights.taps == 1 ? "pointwise" : "direct"
        return "\(kernels.instructionSet.rawValue) \(name) convolution, blocked" + epilogue.name
    }

    var isItemwise: Bool { true }
    var weightByteCount: Int { weights.memory.count * MemoryLayout<Float>.stride }

    func absorbing(_ consumer: Node, operand: Int, _ context: LoweringContext) -> AbsorbedOperation? {
        guard let (epilogue, added) = epilogue.absorbing(consumer, operand: operand, context) else {
            guard isPointwise, operand == 0,
                let groups = ConvolutionLowering.blockedGroups(consumer, context)
            else { return nil }
            return ExpandedGroupsOperation(self, groups).map { AbsorbedOperation(operation: $0) }
        }
        // A function is applied to whole blocks, which must be the task's own.
        guard
            epilogue.function == nil || weights.groups == 1
                || weights.outputChannels >= BlockedShape.blockSize
        else {
            return nil
        }
        var result = self
        result.epilogue = epilogue
        return AbsorbedOperation(operation: result, addedInputs: added)
    }

    /// Whether an output pixel is made of the input pixel at its place.
    var isPointwise: Bool {
        guard weights.taps == 1, (window.strides ?? []).allSatisfy({ $0 == 1 }) else { return false }
        if case .explicit(let begins, let ends)? = window.padding {
            return (begins + ends).allSatisfy { $0 == 0 }
        }
        return true
    }

    func schedule(_ shapes: StepShapes, threadCount: Int) throws(ExecutionError) -> ScheduledOperation {
        let (input, output) = (shapes.inputs[0], shapes.outputs[0])
        guard let source = BlockedShape(input), let target = BlockedShape(output),
            let axes = WindowAxis.axes(window, kernel: kernel, input: input, output: output),
            let convolution = BlockedConvolution(
                weights: weights, axes: axes,
                source: .init(itemStride: source.itemStride, blockStride: source.blockStride),
                output: .init(itemStride: target.itemStride, blockStride: target.blockStride))
        else { throw .memory(byteCount: .max, limit: WindowGeometry.maximumPlaneCount) }
        guard target.count > 0 else { return ScheduledOperation([]) }
        let product = BlockedProduct(
            convolution: convolution, weights: weights, target: target, kernels: kernels, epilogue: epilogue,
            isApart: weights.taps == 1 && !isPointwise, threadCount: threadCount)
        var result = ScheduledOperation([
            ScheduledOperation.Phase(taskCount: product.taskCount) { product.run($0, $1) }
        ])
        result.workerScratchCount = product.workerScratchCount
        // A tile reads its residual just before it writes there.
        if epilogue.hasResidual { result.reusableInputs = [1] }
        return result
    }
}
