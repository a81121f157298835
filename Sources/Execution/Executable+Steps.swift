import Graph
import Tensors

extension Executable {
    /// What a run does, in order.
    package var stepDescriptions: [StepDescription] {
        let computed = computedNames
        return steps.map { step in
            let outputs = step.outputs.compactMap { $0 }
            return StepDescription(
                nodes: step.nodes.map(\.name), operators: step.nodes.map(\.type),
                kernel: step.operation.kernelName, layout: step.layout,
                inputs: step.inputs.map { ($0, values[$0]) }, outputs: outputs.map { ($0, values[$0]) },
                inputByteCount: byteCount(step.inputs.filter(computed.contains)),
                weightByteCount: weightByteCount(of: step, computed), outputByteCount: byteCount(outputs))
        }
    }

    /// The bytes of all steps' weights, packed or read as they are.
    package var weightByteCount: Int {
        let computed = computedNames
        return steps.reduce(0) { sum, step in
            let (total, overflow) = sum.addingReportingOverflow(weightByteCount(of: step, computed))
            return overflow ? Int.max : total
        }
    }

    /// The inputs and what the steps define.
    private var computedNames: Set<String> {
        Set(inputNames).union(steps.lazy.flatMap(\.nodes).flatMap(\.outputs).compactMap { $0 })
    }

    private func weightByteCount(of step: Step, _ computed: Set<String>) -> Int {
        let names = Set(step.nodes.lazy.flatMap(\.inputs).compactMap { $0 }.filter { !computed.contains($0) })
        return byteCount(Array(names)) ?? 0
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
