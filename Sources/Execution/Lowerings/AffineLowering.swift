import CKernels
import Graph
import Kernels
import Tensors

/// A scale and a shift for each channel: BatchNormalization with constant statistics, and Graph's own affine.
struct AffineLowering: Lowering {
    func lower(_ node: Node, _ context: LoweringContext) -> LoweredNode? {
        guard let input = node.input(0), context.isFloat(input) else { return nil }
        if let affine = node.operation as? Affine {
            return lower(affine.scale, affine.shift, axis: affine.axis, input, context)
        }
        guard let normalization = node.operation as? BatchNormalization, let rank = context.info(input)?.rank,
            rank >= 2, let gamma = context.constantFloats(node.input(1)),
            let beta = context.constantFloats(node.input(2)),
            let mean = context.constantFloats(node.input(3)),
            let variance = context.constantFloats(node.input(4))
        else { return nil }
        let scale = gamma.indices.map {
            Double(gamma[$0]) / (Double(variance[$0]) + normalization.epsilon).squareRoot()
        }
        let shift = gamma.indices.map { Double(beta[$0]) - Double(mean[$0]) * scale[$0] }
        return lower(scale, shift, axis: 1, input, context)
    }

    private func lower(
        _ scale: [Double], _ shift: [Double], axis: Int, _ input: String, _ context: LoweringContext
    ) -> LoweredNode {
        let (scale, shift) = (scale.map { Float($0) }, shift.map { Float($0) })
        if axis == 1, context.layout(input) == .blocked {
            return LoweredNode(
                operation: BlockedAffineOperation(
                    scale: FloatMemory(blocking: scale, lines: 1),
                    shift: FloatMemory(blocking: shift, lines: 1),
                    kernels: context.kernels), inputs: [input], layout: .blocked)
        }
        return LoweredNode(
            operation: AffineOperation(
                scale: FloatMemory(scale), shift: FloatMemory(shift), axis: axis, kernels: context.kernels),
            inputs: [input])
    }
}

/// y = scale · x + shift for each channel, where it can in place.
struct AffineOperation: EpilogueOperation {
    /// [channels] each.
    let scale: FloatMemory
    let shift: FloatMemory
    let axis: Int
    let kernels: KernelTable
    var epilogue = Epilogue()

    var kernelName: String { "\(kernels.instructionSet.rawValue) affine" + epilogue.name }

    var addsResidual: Bool { false }

    func schedule(_ shapes: StepShapes, threadCount: Int) -> ScheduledOperation {
        let shape = shapes.outputs[0]
        guard shape.count > 0 else { return ScheduledOperation([]) }
        let channels = scale.count
        let inner = shape.strides[axis]
        let isLast = inner == 1
        let length = isLast ? channels : inner
        let rows = Chunks.rows(shape.count / length, length: length)
        let hasBounds = epilogue.lower > -.infinity || epilogue.upper < .infinity
        var result = ScheduledOperation([
            ScheduledOperation.Phase(taskCount: rows.count) { memory, task in
                let functions = kernels.functions.pointee
                for row in rows[task] {
                    let (source, target) = (memory.input(0) + row * length, memory.output(0) + row * length)
                    if isLast {
                        functions.binary(
                            CK_MULTIPLY, target, source, 1, scale.pointer, 1, length, -.infinity, .infinity)
                        functions.binary(
                            CK_ADD, target, target, 1, shift.pointer, 1, length, epilogue.lower,
                            epilogue.upper)
                    } else {
                        let channel = row % channels
                        functions.unary(
                            CK_SCALE_SHIFT, target, source, length, scale.pointer[channel],
                            shift.pointer[channel])
                        if hasBounds {
                            functions.unary(CK_CLAMP, target, target, length, epilogue.lower, epilogue.upper)
                        }
                    }
                    epilogue.finish(kernels, target, length)
                }
            }
        ])
        result.reusableInputs = [0]
        return result
    }
}
