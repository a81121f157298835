import Graph
import Kernels
import Tensors

/// Concat and Split of 32-bit floats: blocks are copied.
struct ConcatLowering: Lowering {
    func lower(_ node: Node, _ context: LoweringContext) -> LoweredNode? {
        guard node.domain.isEmpty, node.type == "Concat" || node.type == "Split" else { return nil }
        let isConcat = node.type == "Concat"
        // The inputs of Split after the first are sizes, which the outputs' shapes repeat.
        let inputs = isConcat ? node.inputs.compactMap { $0 } : node.inputs.prefix(1).compactMap { $0 }
        guard inputs.count == (isConcat ? node.inputs.count : 1), inputs.allSatisfy({ context.isFloat($0) }),
            let rank = context.info(inputs[0])?.rank
        else { return nil }
        var axis = 0
        if case .integer(let value) = node.attributes["axis"] { axis = Int(value) }
        axis = axis < 0 ? axis + rank : axis
        guard (0..<rank).contains(axis) else { return nil }
        guard (3...5).contains(rank), inputs.contains(where: { context.layout($0) == .blocked }) else {
            return LoweredNode(operation: ConcatOperation(axis: axis, joins: isConcat), inputs: inputs)
        }
        guard axis == 1 else {
            return LoweredNode(
                operation: ConcatOperation(axis: axis, joins: isConcat, layout: .blocked), inputs: inputs,
                layout: .blocked)
        }
        return LoweredNode(
            operation: BlockedChannelsOperation(rule: isConcat ? .join : .split, kernels: context.kernels),
            inputs: inputs, layout: .blocked)
    }
}

/// Several tensors beside each other on one axis, joined to one or taken out of one.
struct ConcatOperation: LoweredOperation {
    let axis: Int
    let joins: Bool
    /// Of all values; blocked ones are not joined along the channels.
    var layout = ValueLayout.plain

    var kernelName: String {
        (joins ? "copy of blocks, joined" : "copy of blocks, split") + layout.kernelSuffix
    }

    func schedule(_ shapes: StepShapes, threadCount: Int) throws(ExecutionError) -> ScheduledOperation {
        let whole = try layout.memoryShape(joins ? shapes.outputs[0] : shapes.inputs[0])
        guard whole.count > 0 else { return ScheduledOperation([]) }
        let inner = whole.strides[axis]
        let rowLength = whole[axis] * inner
        // An axis other than the channels stands at the same place in memory.
        let lengths = (joins ? shapes.inputs : shapes.outputs).map { $0[axis] * inner }
        var starts: [Int] = []
        var start = 0
        for length in lengths {
            starts.append(start)
            start += length
        }
        let places = starts
        let chunks = Chunks.rows(whole.count / rowLength, length: rowLength)
        // A task is some rows of one part.
        return ScheduledOperation([
            ScheduledOperation.Phase(taskCount: chunks.count * lengths.count) { memory, task in
                let part = task % lengths.count
                let length = lengths[part]
                for row in chunks[task / lengths.count] {
                    if joins {
                        (memory.output(0) + row * rowLength + places[part]).update(
                            from: memory.input(part) + row * length, count: length)
                    } else {
                        (memory.output(part) + row * length).update(
                            from: memory.input(0) + row * rowLength + places[part], count: length)
                    }
                }
            }
        ])
    }
}
