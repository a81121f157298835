import Graph
import Tensors

/// Evaluates a graph on small inputs, as far as its values stay small: what a caller who has checked the shapes does.
package struct BoundedEvaluation {
    private static let maximumElementCount = 1 << 12
    private static let maximumProductCount = 1 << 20

    private let graph: Graph

    package init(_ graph: Graph) { self.graph = graph }

    package func run() {
        var values: [String: ExactTensor] = [:]
        for port in graph.inputs {
            guard let type = port.info.elementType, let dimensions = port.info.dimensions,
                let shape = try? Shape(dimensions.map { $0.value ?? 2 }),
                shape.count <= Self.maximumElementCount
            else { continue }
            let elements = (0..<shape.count).map { $0 % 7 - 2 }
            values[port.name] =
                type.isFloatingPoint
                ? ExactTensor(reals: elements.map { Double($0) / 2 }, shape: shape, elementType: type)
                : ExactTensor(integers: elements.map(Int64.init), shape: shape, elementType: type)
        }
        for (name, tensor) in graph.constants where tensor.shape.count <= Self.maximumElementCount {
            values[name] = ExactTensor(tensor)
        }
        for node in graph.nodes { evaluate(node, &values) }
    }

    private func evaluate(_ node: Node, _ values: inout [String: ExactTensor]) {
        var arguments: [ExactTensor?] = []
        var infos: [ValueInfo?] = []
        for name in node.inputs {
            let value = name.flatMap { values[$0] }
            if name != nil, value == nil { return }
            arguments.append(value)
            infos.append(value.map { ValueInfo(constant: $0.tensor) })
        }
        guard let inferred = try? node.operation.inferOutputs(infos, outputCount: node.outputs.count) else {
            return
        }
        let inputCount = arguments.reduce(1) { $0 + ($1?.shape.count ?? 0) }
        for info in inferred {
            guard let dimensions = info.shape, let shape = try? Shape(dimensions),
                shape.count <= Self.maximumElementCount,
                shape.count * inputCount <= Self.maximumProductCount
            else { return }
        }
        guard let outputs = try? Evaluator(rounding: .declared).evaluate(node, arguments) else { return }
        for (name, output) in zip(node.outputs, outputs) {
            if let name { values[name] = output }
        }
        for (info, output) in zip(inferred, outputs) {
            precondition(info.elementType == nil || info.elementType == output.elementType, "\(node.type)")
            precondition(info.shape.map { $0 == output.shape.dimensions } ?? true, "\(node.type)")
        }
    }
}
