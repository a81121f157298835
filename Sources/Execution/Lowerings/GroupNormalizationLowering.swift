import CKernels
import Graph
import Kernels
import Tensors

/// GroupNormalization, and InstanceNormalization as groups of one channel, with constant scale and bias.
struct GroupNormalizationLowering: Lowering {
    func lower(_ node: Node, _ context: LoweringContext) -> LoweredNode? {
        guard let input = node.input(0), context.isFloat(input),
            let dimensions = context.info(input)?.dimensions, dimensions.count >= 2,
            let channels = dimensions[1].value,
            let scale = context.constantFloats(node.input(1)),
            let bias = context.constantFloats(node.input(2)),
            scale.count == bias.count
        else { return nil }
        let (groups, epsilon): (Int, Double)
        switch node.operation {
        case let operation as GroupNormalization:
            (groups, epsilon) = (operation.groupCount, operation.epsilon)
        case let operation as InstanceNormalization: (groups, epsilon) = (channels, operation.epsilon)
        default: return nil
        }
        guard groups > 0, channels.isMultiple(of: groups), scale.count == channels || scale.count == groups
        else { return nil }
        let channelsOfParameter = channels / max(1, scale.count)
        let normalization = GroupNormalizationCoefficients(
            groupCount: groups, epsilon: epsilon,
            scale: (0..<channels).map { Double(scale[$0 / channelsOfParameter]) },
            bias: (0..<channels).map { Double(bias[$0 / channelsOfParameter]) })
        let layout = context.layout(input)
        return LoweredNode(
            operation: GroupNormalizationOperation(
                normalization: normalization, layout: layout, kernels: context.kernels),
            inputs: [input], layout: layout)
    }
}

/// scale·(x − mean)/√(variance + ε) + bias by the moments of each item's groups of channels, where it can in place.
struct GroupNormalizationOperation: EpilogueOperation {
    var normalization: GroupNormalizationCoefficients
    let layout: ValueLayout
    let kernels: KernelTable
    var epilogue = Epilogue()

    var isItemwise: Bool { true }
    var kernelName: String {
        "\(kernels.instructionSet.rawValue) group normalization" + layout.kernelSuffix + epilogue.name
    }

    var addsResidual: Bool { false }

    func absorbing(_ consumer: Node, operand: Int, _ context: LoweringContext) -> AbsorbedOperation? {
        guard epilogue.name.isEmpty, let followed = normalization.followed(by: consumer) else {
            return absorbingEpilogue(consumer, operand: operand, context)
        }
        var result = self
        result.normalization = followed
        return AbsorbedOperation(operation: result)
    }

    func schedule(_ shapes: StepShapes, threadCount: Int) throws(ExecutionError) -> ScheduledOperation {
        let shape = shapes.inputs[0]
        guard shape.count > 0 else { return ScheduledOperation([]) }
        guard layout == .blocked else { return schedulePlain(shape) }
        guard let blocked = BlockedShape(shape) else {
            throw .memory(byteCount: .max, limit: WindowGeometry.maximumPlaneCount)
        }
        return scheduleBlocked(blocked, threadCount)
    }

    private func schedulePlain(_ shape: Shape) -> ScheduledOperation {
        let normalization = normalization
        let (groups, channels) = (shape[0] * normalization.groupCount, shape[0] * normalization.channels)
        let inner = shape.count / channels
        let length = normalization.groupSize * inner
        let pieces = Chunks(total: length, size: Chunks.elementCount)
        let momentTasks = Chunks.rows(groups * pieces.count, length: pieces.size)
        let coefficientTasks = Chunks.rows(groups, length: pieces.count + normalization.groupSize)
        let affineTasks = Chunks.rows(channels, length: inner)
        // [groups][pieces] of mean and squares, then [channels] of factor and shift.
        let momentCount = groups * pieces.count * 2
        let hasBounds = epilogue.lower > -.infinity || epilogue.upper < .infinity
        var result = ScheduledOperation([
            ScheduledOperation.Phase(taskCount: momentTasks.count) { memory, task in
                let functions = kernels.functions.pointee
                for index in momentTasks[task] {
                    let piece = pieces[index % pieces.count]
                    let source = memory.input(0) + index / pieces.count * length + piece.lowerBound
                    let mean = functions.sum(source, piece.count, 0) / Float(piece.count)
                    memory.scratch[index * 2] = mean
                    memory.scratch[index * 2 + 1] = functions.sum_of_squares(source, piece.count, mean)
                }
            },
            ScheduledOperation.Phase(taskCount: coefficientTasks.count) { memory, task in
                for group in coefficientTasks[task] {
                    var moments = PooledMoments()
                    for piece in 0..<pieces.count {
                        let place = memory.scratch + (group * pieces.count + piece) * 2
                        moments.add(count: pieces[piece].count, mean: place[0], squares: place[1])
                    }
                    let first = group * normalization.groupSize
                    for channel in first..<first + normalization.groupSize {
                        let place = memory.scratch + momentCount + channel * 2
                        (place[0], place[1]) = normalization.factors(
                            channel % normalization.channels, moments)
                    }
                }
            },
            ScheduledOperation.Phase(taskCount: affineTasks.count) { memory, task in
                let functions = kernels.functions.pointee
                for channel in affineTasks[task] {
                    let (source, target) = (
                        memory.input(0) + channel * inner, memory.output(0) + channel * inner
                    )
                    let place = memory.scratch + momentCount + channel * 2
                    functions.unary(CK_SCALE_SHIFT, target, source, inner, place[0], place[1])
                    if hasBounds {
                        functions.unary(CK_CLAMP, target, target, inner, epilogue.lower, epilogue.upper)
                    }
                    epilogue.finish(kernels, target, inner)
                }
            },
        ])
        result.reusableInputs = [0]
        result.scratchCount = momentCount + channels * 2
        return result
    }
}
