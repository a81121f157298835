import CKernels
import Graph
import Kernels
import Tensors

/// GlobalAveragePool, and ReduceMean and ReduceSum over neighbouring axes that are known.
struct MeanLowering: Lowering {
    func lower(_ node: Node, _ context: LoweringContext) -> LoweredNode? {
        guard node.domain.isEmpty, let input = node.input(0), context.isFloat(input),
            let rank = context.info(input)?.rank, node.outputs.count == 1
        else { return nil }
        let axes: Range<Int>
        switch node.type {
        case "GlobalAveragePool" where rank >= 3: axes = 2..<rank
        case "ReduceMean", "ReduceSum":
            guard let found = Self.axes(node, rank: rank, context) else { return nil }
            axes = found
        default: return nil
        }
        if context.layout(input) == .blocked, axes == 2..<rank,
            let outputRank = context.info(node.outputs[0])?.rank
        {
            // Where the axes stay, so does the layout.
            let isBlocked = outputRank == rank
            return LoweredNode(
                operation: BlockedMeanOperation(
                    divides: node.type != "ReduceSum", isBlocked: isBlocked, kernels: context.kernels),
                inputs: [input], inputLayouts: [.blocked], outputLayout: isBlocked ? .blocked : .plain)
        }
        return LoweredNode(
            operation: MeanOperation(axes: axes, divides: node.type != "ReduceSum", kernels: context.kernels),
            inputs: [input])
    }

    private static func axes(_ node: Node, rank: Int, _ context: LoweringContext) -> Range<Int>? {
        var axes: [Int] = []
        if case .integers(let values) = node.attributes["axes"] {
            axes = values.map { Int($0) }
        } else if let name = node.input(1) {
            guard let tensor = context.graph.fixedConstant(name), let values = ExactTensor(tensor).integers
            else {
                return nil
            }
            axes = values.map { Int($0) }
        }
        if axes.isEmpty {
            if case .integer(1) = node.attributes["noop_with_empty_axes"] { return nil }
            return 0..<rank
        }
        let sorted = Set(axes.map { $0 < 0 ? $0 + rank : $0 }).sorted()
        guard let first = sorted.first, let last = sorted.last, first >= 0, last < rank,
            last - first + 1 == sorted.count
        else { return nil }
        return first..<last + 1
    }
}

/// The sum or the mean over neighbouring axes.
struct MeanOperation: LoweredOperation {
    let axes: Range<Int>
    let divides: Bool
    let kernels: KernelTable

    var kernelName: String { "\(kernels.instructionSet.rawValue) \(divides ? "mean" : "sum") over axes" }

    func schedule(_ shapes: StepShapes, threadCount: Int) -> ScheduledOperation {
        let shape = shapes.inputs[0]
        let outer = shape.dimensions[..<axes.lowerBound].reduce(1, *)
        let reduced = shape.dimensions[axes].reduce(1, *)
        let inner = shape.dimensions[axes.upperBound...].reduce(1, *)
        guard shapes.outputs[0].count > 0 else { return ScheduledOperation([]) }
        let divisor = divides ? Float(reduced) : 1
        let chunks = Chunks.rows(outer, length: reduced * inner)
        return ScheduledOperation([
            ScheduledOperation.Phase(taskCount: chunks.count) { memory, task in
                let functions = kernels.functions.pointee
                for row in chunks[task] {
                    let source = memory.input(0) + row * reduced * inner
                    let target = memory.output(0) + row * inner
                    if inner == 1 {
                        target[0] = functions.sum(source, reduced, 0) / divisor
                        continue
                    }
                    target.update(repeating: 0, count: inner)
                    for index in 0..<reduced {
                        functions.binary(
                            CK_ADD, target, target, 1, source + index * inner, 1, inner, -.infinity, .infinity
                        )
                    }
                    var count = divisor
                    functions.binary(CK_DIVIDE, target, target, 1, &count, 0, inner, -.infinity, .infinity)
                }
            }
        ])
    }
}
