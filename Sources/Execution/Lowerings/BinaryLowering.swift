import CKernels
import Graph
import Kernels
import Tensors

/// Add, Sub, Mul, Div, Min and Max of two, and PRelu, with broadcasting.
struct BinaryLowering: Lowering {
    func lower(_ node: Node, _ context: LoweringContext) -> LoweredNode? {
        guard node.domain.isEmpty, node.inputs.count == 2, let left = node.inputs[0],
            let right = node.inputs[1],
            context.isFloat(left), context.isFloat(right), let kind = Self.kinds[node.type]
        else { return nil }
        let operation = BinaryOperation(kind: kind, name: node.type, kernels: context.kernels)
        return BlockedBinaryOperation.lower(operation, left, right, context)
            ?? LoweredNode(operation: operation, inputs: [left, right])
    }

    private static let kinds: [String: ck_binary_kind] = [
        "Add": CK_ADD, "Sub": CK_SUBTRACT, "Mul": CK_MULTIPLY, "Div": CK_DIVIDE, "Min": CK_MINIMUM,
        "Max": CK_MAXIMUM, "PRelu": CK_PRELU,
    ]
}

/// A function of two floats over broadcast shapes.
struct BinaryOperation: EpilogueOperation {
    let kind: ck_binary_kind
    let name: String
    let kernels: KernelTable
    var epilogue = Epilogue()

    var kernelName: String { "\(kernels.instructionSet.rawValue) elementwise \(name)" + epilogue.name }

    var addsResidual: Bool { false }

    func schedule(_ shapes: StepShapes, threadCount: Int) -> ScheduledOperation {
        let output = shapes.outputs[0]
        guard output.count > 0 else { return ScheduledOperation([]) }
        let loop = BroadcastLoop(shapes.inputs[0], shapes.inputs[1], output)
        // One long row is cut; many rows are dealt out.
        let columns =
            loop.rows == 1 ? Chunks.elements(loop.length) : Chunks(total: loop.length, size: loop.length)
        let rows = Chunks.rows(loop.rows, length: loop.length)
        var result = ScheduledOperation([
            ScheduledOperation.Phase(taskCount: rows.count * columns.count) { memory, task in
                let range = columns[task % columns.count]
                for row in rows[task / columns.count] {
                    let (left, right) = loop.offsets(row)
                    let target = memory.output(0) + row * loop.length + range.lowerBound
                    kernels.functions.pointee.binary(
                        kind, target, memory.input(0) + left + range.lowerBound * loop.leftStride,
                        loop.leftStride,
                        memory.input(1) + right + range.lowerBound * loop.rightStride, loop.rightStride,
                        range.count, epilogue.lower, epilogue.upper)
                    epilogue.finish(kernels, target, range.count)
                }
            }
        ])
        result.reusableInputs = [0, 1].filter { shapes.inputs[$0] == output }
        return result
    }
}

/// Two shapes broadcast to a third, with neighbouring axes of the same kind merged.
struct BroadcastLoop: Sendable {
    /// The innermost axis; a stride is 0 where the operand is repeated.
    let length: Int
    let leftStride: Int
    let rightStride: Int
    /// The others, outermost first.
    private let extents: [Int]
    private let leftStrides: [Int]
    private let rightStrides: [Int]
    let rows: Int

    init(_ left: Shape, _ right: Shape, _ output: Shape) {
        let rank = output.rank
        func strides(_ shape: Shape) -> [Int] {
            let own = shape.strides
            return (0..<rank).map { axis in
                let place = axis - (rank - shape.rank)
                return place < 0 || (shape[place] == 1 && output[axis] != 1) ? 0 : own[place]
            }
        }
        let (lefts, rights) = (strides(left), strides(right))
        var merged: [(extent: Int, left: Int, right: Int)] = []
        for axis in (0..<rank).reversed() where output[axis] != 1 {
            if let last = merged.last, lefts[axis] == last.left * last.extent,
                rights[axis] == last.right * last.extent
            {
                merged[merged.count - 1].extent *= output[axis]
            } else {
                merged.append((output[axis], lefts[axis], rights[axis]))
            }
        }
        // The innermost strides are 0 or 1: axes of extent 1 were left out.
        let inner = merged.first ?? (1, 1, 1)
        (length, leftStride, rightStride) = (inner.extent, inner.left, inner.right)
        let outer = merged.dropFirst().reversed()
        extents = outer.map(\.extent)
        leftStrides = outer.map(\.left)
        rightStrides = outer.map(\.right)
        rows = extents.reduce(1, *)
    }

    /// Where the operands of a row begin.
    func offsets(_ row: Int) -> (left: Int, right: Int) {
        var (rest, left, right) = (row, 0, 0)
        for axis in extents.indices.reversed() {
            let index = rest % extents[axis]
            rest /= extents[axis]
            left += index * leftStrides[axis]
            right += index * rightStrides[axis]
        }
        return (left, right)
    }
}
