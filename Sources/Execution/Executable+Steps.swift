import Graph
import Tensors

extension Executable {
    /// What a run does, in order.
    package var stepDescriptions: [StepDescription] {
        var computed = Set(inputNames)
        for step in steps { for node in step.nodes { computed.formUnion(node.outputs.compactMap { $0 }) } }
        return steps.map { step in
            let weights = Set(step.nodes.flatMap { $0.inputs.compactMap { $0 } }).subtracting(computed)
            let outputs = step.outputs.compactMap { $0 }
            return StepDescription(
                nodes: step.nodes.map(\.name), operators: step.nodes.map(\.type),
                kernel: step.operation.kernelName, layout: step.layout,
                inputs: step.inputs.map { ($0, values[$0]) }, outputs: outputs.map { ($0, values[$0]) },
                inputByteCount: byteCount(step.inputs.filter(computed.contains)),
                weightByteCount: byteCount(Array(weights)) ?? 0, outputByteCount: byteCount(outputs))
        }
    }

    private func byteCount(_ names: [String]) -> Int? {
        var total = 0
        for name in names {
            guard let info = values[name], let size = info.elementType?.byteCount,
                let dimensions = info.dimensions
            else { return nil }
            var extents: [Int] = []
            for (axis, dimension) in dimensions.enumerated() {
                guard let extent = dimension.value ?? (axis == 0 ? 1 : nil) else { return nil }
                extents.append(extent)
            }
            // A shape's count times the size of an element is a number; the sum of a few of them need not be.
            guard let shape = try? Shape(extents), let count = (layouts[name] ?? .plain).count(shape),
                case let (bytes, tooMany) = count.multipliedReportingOverflow(by: size), !tooMany,
                case let (sum, overflow) = total.addingReportingOverflow(bytes), !overflow
            else { return nil }
            total = sum
        }
        return total
    }
}
