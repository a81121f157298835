import CKernels
import Graph
import Kernels
import Tensors

/// Transpose of 32-bit floats.
struct TransposeLowering: Lowering {
    func lower(_ node: Node, _ context: LoweringContext) -> LoweredNode? {
        guard node.domain.isEmpty, node.type == "Transpose", let input = node.input(0),
            context.isFloat(input),
            let rank = context.info(input)?.rank
        else { return nil }
        var permutation = Array((0..<rank).reversed())
        if case .integers(let axes) = node.attributes["perm"] { permutation = axes.map { Int($0) } }
        guard permutation.sorted() == Array(0..<rank) else { return nil }
        if context.layout(input) == .blocked, permutation == [0] + Array(2..<rank) + [1] {
            return LoweredNode(
                operation: ChannelsLastOperation(isBack: false), inputs: [input], inputLayouts: [.blocked],
                outputLayout: .plain)
        }
        // Back to where convolutions are. Rows of few axes are more often a matrix.
        if context.layout(input) == .plain, (4...5).contains(rank),
            permutation == [0, rank - 1] + Array(1..<rank - 1),
            let channels = context.info(input)?.dimensions?[rank - 1].value,
            channels >= BlockedShape.blockSize
        {
            return LoweredNode(
                operation: ChannelsLastOperation(isBack: true), inputs: [input], inputLayouts: [.plain],
                outputLayout: .blocked)
        }
        return LoweredNode(operation: TransposeOperation(permutation: permutation), inputs: [input])
    }
}

/// A permutation of axes.
struct TransposeOperation: LoweredOperation {
    /// Output axis i is input axis `permutation[i]`.
    let permutation: [Int]

    var kernelName: String { "transpose \(permutation)" }

    private struct Axis {
        var extent: Int
        /// In the input.
        var stride: Int
    }

    func schedule(_ shapes: StepShapes, threadCount: Int) -> ScheduledOperation {
        let input = shapes.inputs[0]
        guard input.count > 0 else { return ScheduledOperation([]) }
        var axes: [Axis] = []
        for axis in permutation where input[axis] != 1 {
            let next = Axis(extent: input[axis], stride: input.strides[axis])
            if let last = axes.last, last.stride == next.stride * next.extent {
                axes[axes.count - 1] = Axis(extent: last.extent * next.extent, stride: next.stride)
            } else {
                axes.append(next)
            }
        }
        guard axes.count > 1, let inner = axes.popLast() else { return ScheduledOperation(.view(input: 0)) }
        if inner.stride == 1 { return copyRows(axes, length: inner.extent) }
        let place = axes.lastIndex { $0.stride == 1 }!
        return transposeBlocks(axes, inner, place)
    }

    /// Where the element of the input is that the outer indices of an output name.
    private static func offset(_ index: Int, _ axes: [Axis]) -> Int {
        var (rest, offset) = (index, 0)
        for axis in axes.reversed() {
            offset += rest % axis.extent * axis.stride
            rest /= axis.extent
        }
        return offset
    }

    private func copyRows(_ axes: [Axis], length: Int) -> ScheduledOperation {
        let chunks = Chunks.rows(axes.reduce(1) { $0 * $1.extent }, length: length)
        return ScheduledOperation([
            ScheduledOperation.Phase(taskCount: chunks.count) { memory, task in
                for row in chunks[task] {
                    (memory.output(0) + row * length).update(
                        from: memory.input(0) + Self.offset(row, axes), count: length)
                }
            }
        ])
    }

    /// The innermost axis of the output is strided in the input, and axis `place` is not: they are exchanged block by block,
    /// for every index of the other axes.
    private func transposeBlocks(_ axes: [Axis], _ inner: Axis, _ place: Int) -> ScheduledOperation {
        let rows = axes[place].extent
        let between = axes[(place + 1)...].reduce(1) { $0 * $1.extent }
        let before = axes[..<place].reduce(1) { $0 * $1.extent }
        let others = Array(axes[..<place] + axes[(place + 1)...])
        let chunks = Chunks.rows(rows, length: inner.extent)
        return ScheduledOperation([
            ScheduledOperation.Phase(taskCount: before * between * chunks.count) { memory, task in
                let range = chunks[task % chunks.count]
                let index = task / chunks.count
                let source = memory.input(0) + Self.offset(index, others) + range.lowerBound
                let row = (index / between * rows + range.lowerBound) * between + index % between
                ck_transpose(
                    memory.output(0) + row * inner.extent, between * inner.extent, source, inner.stride,
                    range.count, inner.extent)
            }
        ])
    }
}
