import CKernels
import Graph
import Kernels
import Tensors

/// Slice and Pad of 32-bit floats, whose places follow from constants or from the shapes of a run.
struct SliceLowering: Lowering {
    func lower(_ node: Node, _ context: LoweringContext) -> LoweredNode? {
        guard node.domain.isEmpty, let input = node.input(0), context.isFloat(input), node.outputs.count == 1
        else {
            return nil
        }
        switch node.type {
        case "Slice": break
        case "Pad":
            // The fill must be known, and the pads stand in an input since opset 11.
            guard node.input(1) != nil, node.input(2) == nil || context.constantScalar(node.input(2)) != nil
            else {
                return nil
            }
            if case .string(let mode) = node.attributes["mode"], mode != "constant" { return nil }
        default: return nil
        }
        var operation = SliceOperation(
            node: node, fill: node.type == "Pad" ? context.constantScalar(node.input(2)) ?? 0 : 0)
        let inputs = node.inputs.compactMap { $0 }
        guard context.layout(input) == .blocked, let axes = operation.changedAxes(context) else {
            return LoweredNode(operation: operation, inputs: inputs)
        }
        let layouts = [ValueLayout.blocked] + inputs.dropFirst().map { _ in .plain }
        if axes.contains(1) {
            guard axes == [1], node.type == "Slice" else {
                return LoweredNode(operation: operation, inputs: inputs)
            }
            return LoweredNode(
                operation: BlockedChannelsOperation(rule: .slice(operation), kernels: context.kernels),
                inputs: inputs, inputLayouts: layouts, outputLayout: .blocked)
        }
        operation.layout = .blocked
        return LoweredNode(
            operation: operation, inputs: inputs, inputLayouts: layouts, outputLayout: .blocked)
    }
}

/// An output whose axes are each a walk through an axis of the input, or a fill outside of it.
struct SliceOperation: LoweredOperation {
    let node: Node
    let fill: Float
    /// Of the first input and the output; blocked ones keep their channels.
    var layout = ValueLayout.plain

    var kernelName: String { "copy of rows, \(node.type)" + layout.kernelSuffix }

    /// The axes that do not stay as they are, if these and the places are known; `nil` otherwise.
    func changedAxes(_ context: LoweringContext) -> Set<Int>? {
        guard let rank = context.info(node.input(0))?.rank else { return nil }
        func known(_ index: Int) -> [Int]? { context.info(node.input(index))?.knownElements }
        for index in node.inputs.indices.dropFirst() where index != 2 {
            guard node.inputs[index] == nil || known(index) != nil else { return nil }
        }
        if node.type == "Pad" {
            guard node.input(3) == nil, let pads = known(1), pads.count == 2 * rank else { return nil }
            return Set((0..<rank).filter { pads[$0] != 0 || pads[rank + $0] != 0 })
        }
        guard node.input(1) != nil, let axes = known(3), Self.areWalked(known(4)) else { return nil }
        return Set(axes.map { $0 < 0 ? $0 + rank : $0 })
    }

    func schedule(_ shapes: StepShapes, threadCount: Int) throws(ExecutionError) -> ScheduledOperation {
        guard var walks = walks(shapes) else { return ScheduledOperation(.evaluation(node)) }
        let input = try layout.memoryShape(shapes.inputs[0])
        let output = try layout.memoryShape(shapes.outputs[0])
        walks += [Walk](repeating: Walk(), count: output.rank - walks.count)
        return copy(walks, input, output)
    }

    private func copy(_ walks: [Walk], _ input: Shape, _ output: Shape) -> ScheduledOperation {
        guard output.count > 0 else { return ScheduledOperation([]) }
        guard output.rank > 0 else { return ScheduledOperation(.view(input: 0)) }
        let last = output.rank - 1
        let length = output[last]
        let outer = Array(0..<last)
        let strides = input.strides
        let chunks = Chunks.rows(output.count / length, length: length)
        return ScheduledOperation([
            ScheduledOperation.Phase(taskCount: chunks.count) { memory, task in
                for row in chunks[task] {
                    var (rest, offset, isInside) = (row, 0, true)
                    for axis in outer.reversed() {
                        let place = walks[axis].start + rest % output[axis] * walks[axis].step
                        rest /= output[axis]
                        isInside = isInside && place >= 0 && place < input[axis]
                        offset += place * strides[axis]
                    }
                    let target = memory.output(0) + row * length
                    let walk = walks[last]
                    if !isInside {
                        target.update(repeating: fill, count: length)
                    } else if walk.step > 0 {
                        ck_split_row(
                            target, length, memory.input(0) + offset, input[last], walk.start, walk.step, fill
                        )
                    } else {
                        for index in 0..<length {
                            target[index] = memory.input(0)[offset + walk.start + index * walk.step]
                        }
                    }
                }
            }
        ])
    }

    /// Where an axis begins in the input, and its step.
    struct Walk {
        var start = 0
        var step = 1
    }

    /// Whether steps do not go beyond what is computed here.
    private static func areWalked(_ steps: [Int]?) -> Bool {
        (steps ?? []).allSatisfy { $0 != 0 && $0.magnitude <= UInt(Int32.max) }
    }

    /// For each axis; `nil` when a run must compute them.
    func walks(_ shapes: StepShapes) -> [Walk]? { node.type == "Pad" ? pads(shapes) : slices(shapes) }

    /// The integers of input `index`, or of the attribute; `nil` when a run must compute them.
    private func integers(_ index: Int, _ attribute: String, _ shapes: StepShapes) -> [Int]?? {
        if case .integers(let values) = node.attributes[attribute] { return .some(values.map { Int($0) }) }
        guard index < node.inputs.count, node.inputs[index] != nil else { return .some(nil) }
        let position = node.inputs[..<index].compactMap { $0 }.count
        return shapes.inputElements[position].map { .some($0) }
    }

    private func axes(_ given: [Int]?, count: Int, rank: Int) -> [Int]? {
        let axes = given.map { $0.map { $0 < 0 ? $0 + rank : $0 } } ?? Array(0..<count)
        return axes.count == count && axes.allSatisfy((0..<rank).contains) ? axes : nil
    }

    private func slices(_ shapes: StepShapes) -> [Walk]? {
        let input = shapes.inputs[0]
        guard let starts = integers(1, "starts", shapes), let starts,
            let givenAxes = integers(3, "axes", shapes), let steps = integers(4, "steps", shapes),
            let axes = axes(givenAxes, count: starts.count, rank: input.rank)
        else { return nil }
        var walks = [Walk](repeating: Walk(), count: input.rank)
        for (index, axis) in axes.enumerated() {
            let step = steps.map { index < $0.count ? $0[index] : 0 } ?? 1
            // Steps beyond any extent walk to at most one element.
            guard Self.areWalked([step]) else { return nil }
            let extent = input[axis]
            let start = starts[index] < 0 ? max(starts[index], -extent) + extent : starts[index]
            walks[axis] = Walk(
                start: step > 0 ? min(start, extent) : min(start, extent - 1), step: step)
        }
        return walks
    }

    private func pads(_ shapes: StepShapes) -> [Walk]? {
        let rank = shapes.inputs[0].rank
        guard let pads = integers(1, "", shapes), let pads, let givenAxes = integers(3, "", shapes),
            let axes = axes(givenAxes, count: pads.count / 2, rank: rank)
        else { return nil }
        var walks = [Walk](repeating: Walk(), count: rank)
        for (index, axis) in axes.enumerated() { walks[axis].start = -pads[index] }
        return walks
    }
}
