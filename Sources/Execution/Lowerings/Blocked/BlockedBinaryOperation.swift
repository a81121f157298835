import CKernels
import Graph
import Kernels
import Tensors

/// A function of two floats where one operand is a blocked value and the other is of its shape, or has one float for each
/// channel, or one float.
struct BlockedBinaryOperation: EpilogueOperation {
    /// The other operand.
    private enum Other {
        /// Of the same shape, blocked: the step's second input.
        case whole
        /// [items or 1, channels, 1…], blocked: the step's second input.
        case computed
        /// Known: [blocks][16], or [16] for all blocks.
        case constant(FloatMemory, blockStride: Int)
    }

    let binary: BinaryOperation
    private let other: Other
    /// Whether the other operand is the left one.
    private let isReversed: Bool
    var epilogue = Epilogue()

    private init(_ binary: BinaryOperation, _ other: Other, isReversed: Bool = false) {
        self.binary = binary
        self.other = other
        self.isReversed = isReversed
    }

    /// `nil` when no operand is blocked, or the other one is broadcast otherwise.
    static func lower(
        _ binary: BinaryOperation, _ left: String, _ right: String, _ context: LoweringContext
    ) -> LoweredNode? {
        guard context.layout(left) == .blocked || context.layout(right) == .blocked else { return nil }
        if context.haveSameShape(left, right) {
            return LoweredNode(
                operation: BlockedBinaryOperation(binary, .whole), inputs: [left, right], layout: .blocked)
        }
        for (value, operand) in [(left, right), (right, left)] where context.layout(value) == .blocked {
            guard let other = other(value, operand, context) else { continue }
            let operation = BlockedBinaryOperation(binary, other, isReversed: value != left)
            if case .constant = other {
                return LoweredNode(operation: operation, inputs: [value], layout: .blocked)
            }
            return LoweredNode(operation: operation, inputs: [value, operand], layout: .blocked)
        }
        return nil
    }

    private static func other(_ value: String, _ operand: String, _ context: LoweringContext) -> Other? {
        guard let whole = context.info(value)?.dimensions, let part = context.info(operand)?.dimensions,
            part.count <= whole.count
        else { return nil }
        let constant = context.constantFloats(operand)
        if let constant, constant.count == 1 {
            let scalar = [Float](repeating: constant[0], count: BlockedShape.blockSize)
            return .constant(FloatMemory(scalar), blockStride: 0)
        }
        // The channels' axis in the operand; the axes behind it do not vary.
        let axis = part.count - whole.count + 1
        guard axis >= 0, part[axis] == whole[1], whole[1] != .unknown,
            part[(axis + 1)...].allSatisfy({ $0 == .known(1) })
        else { return nil }
        if let constant, axis == 0 || part[0] == .known(1) {
            return .constant(
                FloatMemory(blocking: constant, lines: 1), blockStride: BlockedShape.blockSize)
        }
        guard axis == 1, part[0] == .known(1) || (part[0] == whole[0] && part[0] != .unknown) else {
            return nil
        }
        return .computed
    }

    var isItemwise: Bool { true }
    var kernelName: String {
        "\(binary.kernels.instructionSet.rawValue) elementwise \(binary.name), blocked" + epilogue.name
    }

    var addsResidual: Bool { false }

    func schedule(_ shapes: StepShapes, threadCount: Int) throws(ExecutionError) -> ScheduledOperation {
        guard let shape = BlockedShape(shapes.outputs[0]) else {
            throw .memory(byteCount: .max, limit: WindowGeometry.maximumPlaneCount)
        }
        guard shape.count > 0 else { return ScheduledOperation([]) }
        switch other {
        case .whole: return whole(shape)
        case .computed:
            // One item for all, or each its own.
            let size = BlockedShape.blockSize
            let isShared = shapes.inputs[1][0] == 1
            return channels(shape, threadCount: threadCount) { memory, plane, block in
                memory.input(1) + (isShared ? block : plane) * size
            }
        case .constant(let floats, let blockStride):
            return channels(shape, threadCount: threadCount) { _, _, block in
                UnsafePointer(floats.pointer + block * blockStride)
            }
        }
    }

    private func whole(_ shape: BlockedShape) -> ScheduledOperation {
        let chunks = Chunks.elements(shape.count)
        var result = ScheduledOperation([
            ScheduledOperation.Phase(taskCount: chunks.count) { memory, task in
                let (first, count) = (chunks[task].lowerBound, chunks[task].count)
                binary.kernels.functions.pointee.binary(
                    binary.kind, memory.output(0) + first, memory.input(0) + first, 1,
                    memory.input(1) + first,
                    1, count, epilogue.lower, epilogue.upper)
                epilogue.finish(binary.kernels, memory.output(0) + first, count)
            }
        ])
        result.reusableInputs = [0, 1]
        return result
    }

    private func channels(
        _ shape: BlockedShape, threadCount: Int,
        _ operand:
            @escaping @Sendable (_ memory: TaskMemory, _ plane: Int, _ block: Int) -> UnsafePointer<Float>
    ) -> ScheduledOperation {
        let tasks = BlockedRows(shape, threadCount: threadCount)
        let size = BlockedShape.blockSize
        var result = ScheduledOperation([
            ScheduledOperation.Phase(taskCount: tasks.count) { memory, task in
                tasks.forEachPiece(task) { plane, block, pixels in
                    let place = plane * shape.blockStride + pixels.lowerBound * size
                    binary.kernels.functions.pointee.channel_binary(
                        binary.kind, isReversed, memory.output(0) + place, memory.input(0) + place,
                        operand(memory, plane, block), pixels.count, epilogue.lower, epilogue.upper)
                    epilogue.finish(binary.kernels, memory.output(0) + place, pixels.count * size)
                }
            }
        ])
        result.reusableInputs = [0]
        return result
    }
}
