import Graph
import Tensors

/// Operators that only name their input's elements anew: nothing is computed or copied.
struct ViewLowering: Lowering {
    private static let types: Set<String> = [
        "Reshape", "Flatten", "Squeeze", "Unsqueeze", "Identity", "Dropout",
    ]

    func lower(_ node: Node, _ context: LoweringContext) -> LoweredNode? {
        guard node.domain.isEmpty, Self.types.contains(node.type), node.outputs.count == 1,
            let input = node.input(0)
        else { return nil }
        // What keeps the shape keeps the layout.
        let keepsShape = node.type == "Identity" || node.type == "Dropout"
        return LoweredNode(
            operation: ViewOperation(name: node.type), inputs: [input],
            layout: keepsShape ? context.layout(input) : .plain)
    }
}

struct ViewOperation: LoweredOperation {
    let name: String

    var kernelName: String { "view" }

    func schedule(_ shapes: StepShapes, threadCount: Int) -> ScheduledOperation {
        ScheduledOperation(.view(input: 0))
    }
}
