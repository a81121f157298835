import CKernels
import Graph
import Kernels
import Tensors

/// LayerNormalization with constant scale and bias.
struct LayerNormalizationLowering: Lowering {
    func lower(_ node: Node, _ context: LoweringContext) -> LoweredNode? {
        guard node.domain.isEmpty, node.type == "LayerNormalization", node.outputs.count == 1,
            let input = node.input(0), context.isFloat(input), let rank = context.info(input)?.rank,
            let scale = context.constantFloats(node.input(1))
        else { return nil }
        var bias: FloatMemory?
        if let name = node.input(2) {
            guard let floats = context.constantFloats(name), floats.count == scale.count else { return nil }
            bias = FloatMemory(floats)
        }
        var axis = -1
        if case .integer(let value) = node.attributes["axis"] { axis = Int(value) }
        axis = axis < 0 ? axis + rank : axis
        // A scale that is broadcast along the axes is left to the evaluation.
        guard (0..<rank).contains(axis), let dimensions = context.info(input)?.dimensions,
            let shape = context.graph.fixedConstant(node.input(1))?.shape.dimensions,
            shape.map(Dimension.known) == Array(dimensions[axis...])
        else { return nil }
        var epsilon: Float = 1e-5
        if case .real(let value) = node.attributes["epsilon"] { epsilon = value }
        return LoweredNode(
            operation: LayerNormalizationOperation(
                axis: axis, epsilon: epsilon, scale: FloatMemory(scale), bias: bias, kernels: context.kernels),
            inputs: [input])
    }
}

/// (x − mean)/√(variance + ε) · scale + bias over the axes from one on.
struct LayerNormalizationOperation: LoweredOperation {
    let axis: Int
    let epsilon: Float
    let scale: FloatMemory
    let bias: FloatMemory?
    let kernels: KernelTable

    var kernelName: String { "\(kernels.instructionSet.rawValue) layer normalization" }

    func schedule(_ shapes: StepShapes, threadCount: Int) -> ScheduledOperation {
        let shape = shapes.inputs[0]
        let length = shape.dimensions[axis...].reduce(1, *)
        guard shape.count > 0 else { return ScheduledOperation([]) }
        let chunks = Chunks.rows(shape.count / length, length: length)
        var result = ScheduledOperation([
            ScheduledOperation.Phase(taskCount: chunks.count) { memory, task in
                let functions = kernels.functions.pointee
                for row in chunks[task] {
                    let (source, target) = (memory.input(0) + row * length, memory.output(0) + row * length)
                    let mean = functions.sum(source, length, 0) / Float(length)
                    let variance = functions.sum_of_squares(source, length, mean) / Float(length)
                    functions.normalize(
                        target, source, length, mean, 1 / (variance + epsilon).squareRoot(), scale.pointer,
                        bias?.pointer)
                }
            }
        ])
        result.reusableInputs = [0]
        return result
    }
}
