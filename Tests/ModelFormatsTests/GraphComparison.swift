import Graph
import Tensors

/// Everything that a model file says of a graph, as lines that can be compared.
func describe(_ graph: Graph) -> [String] {
    var lines = ["\(graph.name), operator set \(graph.opset)"]
    lines += graph.inputs.map { "input \($0.name) \($0.info)" }
    lines += graph.outputs.map { "output \($0.name) \($0.info)" }
    lines += graph.overridableInputs.sorted().map { "overridable \($0)" }
    lines += graph.nodes.map { node in
        let attributes = node.attributes.sorted { $0.key < $1.key }.map { "\($0.key)=\(describe($0.value))" }
        return "\(node.name): \(node.domain).\(node.type) \(node.inputs) \(node.outputs) \(attributes)"
    }
    lines += graph.constants.sorted { $0.key < $1.key }.map { "\($0.key) = \(describe($0.value))" }
    return lines
}

private func describe(_ attribute: Attribute) -> String {
    if case .tensor(let tensor) = attribute { describe(tensor) } else { "\(attribute)" }
}

private func describe(_ tensor: Tensor) -> String {
    "\(tensor.elementType)\(tensor.shape) \(tensor.withUnsafeBytes { $0.reduce(into: UInt64(0)) { $0 = $0 &* 31 &+ UInt64($1) } })"
}
