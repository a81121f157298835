import CKernels
import Graph
import Kernels
import Tensors

/// Functions of one float with constant parameters.
struct ElementwiseLowering: Lowering {
    func lower(_ node: Node, _ context: LoweringContext) -> LoweredNode? {
        guard let function = ElementFunction(node, context), let input = node.input(0) else { return nil }
        return LoweredNode(
            operation: ElementwiseOperation(
                function: function, layout: context.layout(input), kernels: context.kernels),
            inputs: [input], layout: context.layout(input))
    }
}

/// One function applied to every element, where it can in place.
struct ElementwiseOperation: LoweredOperation {
    let function: ElementFunction
    let layout: ValueLayout
    let kernels: KernelTable

    var kernelName: String {
        "\(kernels.instructionSet.rawValue) elementwise \(function.name)" + layout.kernelSuffix
    }

    func absorbing(_ consumer: Node, operand: Int, _ context: LoweringContext) -> AbsorbedOperation? {
        function.multiplied(by: consumer, operand: operand, context).map { function in
            AbsorbedOperation(
                operation: ElementwiseOperation(function: function, layout: layout, kernels: kernels))
        }
    }

    func schedule(_ shapes: StepShapes, threadCount: Int) -> ScheduledOperation {
        let chunks = Chunks.elements(layout.count(shapes.outputs[0]) ?? 0)
        var result = ScheduledOperation([
            ScheduledOperation.Phase(taskCount: chunks.count) { memory, task in
                let range = chunks[task]
                kernels.functions.pointee.unary(
                    function.kind, memory.output(0) + range.lowerBound, memory.input(0) + range.lowerBound,
                    range.count, function.alpha, function.beta)
            }
        ])
        result.reusableInputs = [0]
        return result
    }
}
