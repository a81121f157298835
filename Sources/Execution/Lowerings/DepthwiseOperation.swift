import CKernels
import Graph
import Kernels
import Tensors

/// A convolution whose groups have one input channel each: every output plane is made from one input plane.
struct DepthwiseOperation: EpilogueOperation {
    let window: Window
    let kernel: [Int]
    let group: Int
    let outputChannels: Int
    /// [outputChannels, taps]
    let weights: FloatMemory
    let bias: FloatMemory?
    let kernels: KernelTable
    var epilogue = Epilogue()

    var kernelName: String { "\(kernels.instructionSet.rawValue) depthwise convolution" + epilogue.name }

    var addsResidual: Bool { false }

    func schedule(_ shapes: StepShapes, threadCount: Int) throws(ExecutionError) -> ScheduledOperation {
        let (input, output) = (shapes.inputs[0], shapes.outputs[0])
        guard let geometry = WindowGeometry(window, kernel: kernel, input: input, output: output) else {
            throw .memory(byteCount: .max, limit: WindowGeometry.maximumPlaneCount)
        }
        guard output.count > 0 else { return ScheduledOperation([]) }
        let slider = WindowSlider(geometry: geometry, kernels: kernels)
        let planes = input[0] * input[1]
        let multiplier = outputChannels / group
        let chunks = Chunks.rows(planes, length: slider.outputCount * geometry.tapOffsets.count / 2)
        let taps = geometry.tapOffsets.count
        var result = ScheduledOperation([
            ScheduledOperation.Phase(taskCount: chunks.count) { memory, task in
                for plane in chunks[task] {
                    let source = slider.prepare(
                        memory.input(0) + plane * geometry.inputCount, memory.workerScratch, fill: 0)
                    for index in 0..<multiplier {
                        let channel = plane % group * multiplier + index
                        let target = memory.output(0) + (plane * multiplier + index) * slider.outputCount
                        slider.slide(
                            CK_WINDOW_WEIGHTED_SUM, source, weights.pointer + channel * taps,
                            initial: bias?.pointer[channel] ?? 0, lower: epilogue.lower,
                            upper: epilogue.upper, into: target,
                            scratch: memory.workerScratch + slider.preparedCount)
                        epilogue.finish(kernels, target, slider.outputCount)
                    }
                }
            }
        ])
        result.workerScratchCount = slider.scratchCount
        return result
    }
}
