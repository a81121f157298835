import Graph
import Kernels
import Tensors

/// Gather of 32-bit floats along one axis by a list of constant places.
struct GatherLowering: Lowering {
    func lower(_ node: Node, _ context: LoweringContext) -> LoweredNode? {
        guard node.domain.isEmpty, node.type == "Gather", let input = node.input(0), context.isFloat(input),
            let dimensions = context.info(input)?.dimensions,
            let indices = context.graph.fixedConstant(node.input(1)), indices.shape.rank == 1,
            let places = ExactTensor(indices).integers
        else { return nil }
        var axis = 0
        if case .integer(let value) = node.attributes["axis"] { axis = Int(value) }
        axis = axis < 0 ? axis + dimensions.count : axis
        guard dimensions.indices.contains(axis), let extent = dimensions[axis].value,
            places.allSatisfy({ $0 >= -Int64(extent) && $0 < extent })
        else { return nil }
        let inside = places.map { $0 < 0 ? Int($0) + extent : Int($0) }
        if axis == 1, context.layout(input) == .blocked {
            return LoweredNode(
                operation: BlockedChannelsOperation(rule: .gather(inside), kernels: context.kernels),
                inputs: [input], layout: .blocked)
        }
        return LoweredNode(operation: GatherOperation(axis: axis, places: inside), inputs: [input])
    }
}

/// Parts of an axis in a given order.
struct GatherOperation: LoweredOperation {
    let axis: Int
    /// All inside of the axis.
    let places: [Int]

    var kernelName: String { "copy of places" }

    func schedule(_ shapes: StepShapes, threadCount: Int) -> ScheduledOperation {
        let input = shapes.inputs[0]
        guard shapes.outputs[0].count > 0 else { return ScheduledOperation([]) }
        let inner = input.strides[axis]
        let extent = input[axis]
        let chunks = Chunks.rows(shapes.outputs[0].count / inner, length: inner)
        return ScheduledOperation([
            ScheduledOperation.Phase(taskCount: chunks.count) { memory, task in
                for row in chunks[task] {
                    let place = row / places.count * extent + places[row % places.count]
                    (memory.output(0) + row * inner).update(
                        from: memory.input(0) + place * inner, count: inner)
                }
            }
        ])
    }
}
