import CKernels
import Graph
import Kernels
import Tensors

/// MaxPool and AveragePool over one to three spatial axes.
struct PoolLowering: Lowering {
    func lower(_ node: Node, _ context: LoweringContext) -> LoweredNode? {
        guard let input = node.input(0), context.isFloat(input), node.outputs.count == 1,
            let rank = context.info(input)?.rank, (3...5).contains(rank)
        else { return nil }
        let operation: PoolOperation
        if let pool = node.operation as? MaxPool, let kernel = pool.window.kernel {
            operation = PoolOperation(
                window: pool.window, kernel: kernel, isMaximum: true, countsPads: false,
                kernels: context.kernels)
        } else if let pool = node.operation as? AveragePool, let kernel = pool.window.kernel {
            operation = PoolOperation(
                window: pool.window, kernel: kernel, isMaximum: false, countsPads: pool.countsPads,
                kernels: context.kernels)
        } else {
            return nil
        }
        guard context.layout(input) == .plain else {
            return LoweredNode(
                operation: BlockedPoolOperation(pool: operation), inputs: [input], layout: .blocked)
        }
        return LoweredNode(operation: operation, inputs: [input])
    }
}

/// The greatest element or the mean under a window, plane by plane.
struct PoolOperation: LoweredOperation {
    let window: Window
    let kernel: [Int]
    let isMaximum: Bool
    /// Whether a mean's divisor counts the pads.
    let countsPads: Bool
    let kernels: KernelTable

    var kernelName: String { "\(kernels.instructionSet.rawValue) \(isMaximum ? "maximum" : "average") pool" }

    func schedule(_ shapes: StepShapes, threadCount: Int) throws(ExecutionError) -> ScheduledOperation {
        let (input, output) = (shapes.inputs[0], shapes.outputs[0])
        guard let geometry = WindowGeometry(window, kernel: kernel, input: input, output: output) else {
            throw .memory(byteCount: .max, limit: WindowGeometry.maximumPlaneCount)
        }
        guard output.count > 0 else { return ScheduledOperation([]) }
        let slider = WindowSlider(geometry: geometry, kernels: kernels)
        let divisors = isMaximum ? nil : FloatMemory(divisors(input, output))
        let planes = output[0] * output[1]
        let chunks = Chunks.rows(planes, length: slider.outputCount * geometry.tapOffsets.count / 2)
        let kind = isMaximum ? CK_WINDOW_MAXIMUM : CK_WINDOW_SUM
        let fill = isMaximum ? -Float.infinity : 0
        var result = ScheduledOperation([
            ScheduledOperation.Phase(taskCount: chunks.count) { memory, task in
                for plane in chunks[task] {
                    let source = slider.prepare(
                        memory.input(0) + plane * geometry.inputCount, memory.workerScratch, fill: fill)
                    let target = memory.output(0) + plane * slider.outputCount
                    slider.slide(
                        kind, source, nil, initial: fill, lower: -.infinity, upper: .infinity, into: target,
                        scratch: memory.workerScratch + slider.preparedCount)
                    if let divisors {
                        kernels.functions.pointee.binary(
                            CK_DIVIDE, target, target, 1, divisors.pointer, 1, slider.outputCount, -.infinity,
                            .infinity)
                    }
                }
            }
        ])
        result.workerScratchCount = slider.scratchCount
        return result
    }

    /// How many elements each output is the mean of: [outputs of a plane].
    func divisors(_ input: Shape, _ output: Shape) -> [Float] {
        var result: [Float] = [1]
        for axis in kernel.indices {
            let (extent, outputs) = (input[axis + 2], output[axis + 2])
            let stride = window.strides?[axis] ?? 1
            let dilation = window.dilations?[axis] ?? 1
            var (begin, end) = (0, 0)
            switch window.padding {
            case .explicit(let begins, let ends): (begin, end) = (begins[axis], ends[axis])
            case .sameUpper, .sameLower:
                let total = max(0, (outputs - 1) * stride + (kernel[axis] - 1) * dilation + 1 - extent)
                begin = window.padding == .sameUpper ? total / 2 : total - total / 2
                end = total - begin
            case .valid, nil: break
            }
            let counts = (0..<outputs).map { index -> Float in
                let first = index * stride - begin
                func taps(below limit: Int) -> Int {
                    min(kernel[axis], max(0, (limit - first + dilation - 1) / dilation))
                }
                return Float(countsPads ? taps(below: extent + end) : taps(below: extent) - taps(below: 0))
            }
            result = result.flatMap { outer in counts.map { outer * $0 } }
        }
        return result
    }
}
