import CKernels
import Graph
import Kernels
import Tensors

/// ConvTranspose with constant 32-bit weights over one to three spatial axes.
struct ConvolutionTransposeLowering: Lowering {
    func lower(_ node: Node, _ context: LoweringContext) -> LoweredNode? {
        guard let operation = node.operation as? ConvTranspose, let input = node.input(0),
            context.isFloat(input),
            let weight = context.graph.fixedConstant(node.input(1)), weight.elementType == .float32,
            (3...5).contains(weight.shape.rank), weight.shape.count > 0
        else { return nil }
        var bias: FloatMemory?
        if let name = node.input(2) {
            guard let floats = context.constantFloats(name) else { return nil }
            bias = FloatMemory(floats)
        }
        let kernel = Array(weight.shape.dimensions.dropFirst(2))
        let lines = kernel.reduce(weight.shape[1], *)
        let depth = weight.shape[0] / operation.group
        // W lies as [inputs, outputs · taps]; a line is one output channel's tap.
        let packed = weight.withUnsafeBytes { bytes in
            PackedMatrix(
                bytes, lines: lines, depth: depth, width: context.kernels.tileRows, lineStride: 1,
                depthStride: lines, matrixCount: operation.group, matrixStride: depth * lines,
                packing: context.packing)
        }
        return LoweredNode(
            operation: ConvolutionTransposeOperation(
                transposed: operation, kernel: kernel, outputChannels: weight.shape[1] * operation.group,
                weights: packed, bias: bias, kernels: context.kernels),
            inputs: [input])
    }
}

/// A transposed convolution: a matrix product gives what every input pixel adds for every tap, and each output plane then
/// gathers it tap by tap.
struct ConvolutionTransposeOperation: EpilogueOperation {
    let transposed: ConvTranspose
    let kernel: [Int]
    let outputChannels: Int
    /// One matrix a group: [output channels of the group · taps, inputs].
    let weights: PackedMatrix
    let bias: FloatMemory?
    let kernels: KernelTable
    var epilogue = Epilogue()

    var kernelName: String {
        "\(kernels.instructionSet.rawValue) transposed convolution by columns" + epilogue.name
    }

    var addsResidual: Bool { false }

    func schedule(_ shapes: StepShapes, threadCount: Int) throws(ExecutionError) -> ScheduledOperation {
        let (input, output) = (shapes.inputs[0], shapes.outputs[0])
        guard output.count > 0 else { return ScheduledOperation([]) }
        var axes: [Window.Axis] = []
        do {
            for index in kernel.indices {
                axes.append(try transposed.axis(index, input: input[index + 2], kernel: kernel[index]))
            }
        } catch {
            throw .graph(error)
        }
        let positions = axes.reduce(1) { $0 * $1.input }
        let taps = kernel.reduce(1, *)
        guard let geometry = WindowGeometry([.whole(positions)]) else {
            throw .memory(byteCount: .max, limit: WindowGeometry.maximumPlaneCount)
        }
        let planes = input[0] * outputChannels
        var phases: [ScheduledOperation.Phase] = []
        var workerScratchCount = 0
        let (columnCount, overflow) = (planes * taps).multipliedReportingOverflow(by: positions)
        if positions > 0 {
            let product = PatchProduct(
                weights: weights, inputChannels: weights.depth, geometry: geometry, items: input[0],
                kernels: kernels, threadCount: threadCount, writesScratch: true)
            workerScratchCount = product.scratchCount
            phases.append(ScheduledOperation.Phase(taskCount: product.taskCount) { product.run($0, $1) })
        }
        let scatter = ColumnScatter(axes)
        let chunks = Chunks.rows(planes, length: taps * positions)
        phases.append(
            ScheduledOperation.Phase(taskCount: chunks.count) { memory, task in
                for plane in chunks[task] {
                    let target = memory.output(0) + plane * scatter.outputCount
                    target.update(
                        repeating: bias?.pointer[plane % outputChannels] ?? 0, count: scatter.outputCount)
                    scatter.add(memory.scratch + plane * taps * positions, to: target)
                    if epilogue.lower > -.infinity || epilogue.upper < .infinity {
                        kernels.functions.pointee.unary(
                            CK_CLAMP, target, target, scatter.outputCount, epilogue.lower, epilogue.upper)
                    }
                    epilogue.finish(kernels, target, scatter.outputCount)
                }
            })
        var result = ScheduledOperation(phases)
        result.scratchCount = overflow ? .max / 16 : columnCount
        result.workerScratchCount = workerScratchCount
        return result
    }
}

/// Adds what the input pixels of one plane give for each tap to the output pixels below them.
private struct ColumnScatter: Sendable {
    /// Depth, height and width.
    private let axes: [WindowAxis]

    init(_ given: [Window.Axis]) {
        axes =
            [WindowAxis](repeating: .whole(1), count: 3 - given.count)
            + given.map {
                WindowAxis(
                    input: $0.input, output: $0.output, kernel: $0.kernel, stride: $0.stride,
                    dilation: $0.dilation, padBegin: $0.padBegin)
            }
    }

    var outputCount: Int { axes.reduce(1) { $0 * $1.output } }

    /// The inputs whose output for `tap` exists, and the output of input 0.
    private func reach(_ axis: WindowAxis, _ tap: Int) -> (inputs: Range<Int>, origin: Int) {
        let origin = tap * axis.dilation - axis.padBegin
        let first = origin >= 0 ? 0 : (-origin + axis.stride - 1) / axis.stride
        let end = origin >= axis.output ? 0 : (axis.output - origin + axis.stride - 1) / axis.stride
        return (min(first, axis.input)..<max(min(first, axis.input), min(end, axis.input)), origin)
    }

    /// `columns`: [taps][inputs].
    func add(_ columns: UnsafePointer<Float>, to target: UnsafeMutablePointer<Float>) {
        let (deep, high, wide) = (axes[0], axes[1], axes[2])
        let positions = deep.input * high.input * wide.input
        var column = columns
        for tapZ in 0..<deep.kernel {
            let z = reach(deep, tapZ)
            for tapY in 0..<high.kernel {
                let y = reach(high, tapY)
                for tapX in 0..<wide.kernel {
                    let x = reach(wide, tapX)
                    for inputZ in z.inputs {
                        for inputY in y.inputs {
                            let from = (inputZ * high.input + inputY) * wide.input + x.inputs.lowerBound
                            let row =
                                ((inputZ * deep.stride + z.origin) * high.output + inputY * high.stride
                                    + y.origin)
                                * wide.output
                            ck_add_strided(
                                target + row + x.inputs.lowerBound * wide.stride + x.origin, wide.stride,
                                column + from, x.inputs.count)
                        }
                    }
                    column += positions
                }
            }
        }
    }
}
