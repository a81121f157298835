import CKernels
import Graph
import Kernels
import Tensors

/// Softmax over one axis, or before opset 13 over all axes from one on.
struct SoftmaxLowering: Lowering {
    func lower(_ node: Node, _ context: LoweringContext) -> LoweredNode? {
        guard node.domain.isEmpty, node.type == "Softmax", let input = node.input(0), context.isFloat(input),
            let rank = context.info(input)?.rank, rank > 0
        else { return nil }
        let flattens = context.graph.opset < 13
        var axis = flattens ? 1 : -1
        if case .integer(let value) = node.attributes["axis"] { axis = Int(value) }
        axis = axis < 0 ? axis + rank : axis
        guard (0..<rank).contains(axis) else { return nil }
        return LoweredNode(
            operation: SoftmaxOperation(axes: axis..<(flattens ? rank : axis + 1), kernels: context.kernels),
            inputs: [input])
    }
}

/// eˣ over the sum of eˣ, from which the greatest x was taken away before.
struct SoftmaxOperation: LoweredOperation {
    let axes: Range<Int>
    let kernels: KernelTable

    var kernelName: String { "\(kernels.instructionSet.rawValue) softmax" }

    func schedule(_ shapes: StepShapes, threadCount: Int) -> ScheduledOperation {
        let shape = shapes.inputs[0]
        guard shape.count > 0 else { return ScheduledOperation([]) }
        let length = shape.dimensions[axes].reduce(1, *)
        let inner = shape.dimensions[axes.upperBound...].reduce(1, *)
        let chunks = Chunks.rows(shape.count / (length * inner), length: length * inner)
        var result = ScheduledOperation([
            ScheduledOperation.Phase(taskCount: chunks.count) { memory, task in
                for row in chunks[task] {
                    let source = memory.input(0) + row * length * inner
                    let target = memory.output(0) + row * length * inner
                    if inner == 1 {
                        rowSoftmax(source, target, length)
                    } else {
                        planeSoftmax(source, target, length, inner, memory.workerScratch)
                    }
                }
            }
        ])
        result.reusableInputs = [0]
        result.workerScratchCount = inner == 1 ? 0 : inner
        return result
    }

    private func rowSoftmax(
        _ source: UnsafePointer<Float>, _ target: UnsafeMutablePointer<Float>, _ length: Int
    ) {
        let functions = kernels.functions.pointee
        let greatest = functions.maximum(source, length)
        var sum = functions.exp_sum(target, source, length, greatest)
        functions.binary(CK_DIVIDE, target, target, 1, &sum, 0, length, -.infinity, .infinity)
    }

    /// The axis is strided: whole rows of `inner` floats are compared, added and divided.
    private func planeSoftmax(
        _ source: UnsafePointer<Float>, _ target: UnsafeMutablePointer<Float>, _ length: Int, _ inner: Int,
        _ scratch: UnsafeMutablePointer<Float>
    ) {
        let functions = kernels.functions.pointee
        func combine(
            _ kind: ck_binary_kind, _ left: UnsafePointer<Float>, _ right: UnsafePointer<Float>,
            _ result: UnsafeMutablePointer<Float>
        ) {
            functions.binary(kind, result, left, 1, right, 1, inner, -.infinity, .infinity)
        }
        scratch.update(from: source, count: inner)
        for index in 1..<max(1, length) { combine(CK_MAXIMUM, scratch, source + index * inner, scratch) }
        for index in 0..<length {
            combine(CK_SUBTRACT, source + index * inner, scratch, target + index * inner)
        }
        functions.unary(CK_EXP, target, target, length * inner, 0, 0)
        scratch.update(repeating: 0, count: inner)
        for index in 0..<length { combine(CK_ADD, scratch, target + index * inner, scratch) }
        for index in 0..<length {
            combine(CK_DIVIDE, target + index * inner, scratch, target + index * inner)
        }
    }
}
