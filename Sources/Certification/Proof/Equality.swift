import Glibc
import Graph
import Tensors

extension Tensor {
    /// Whether both have the same type, shape and bits.
    func hasSameBytes(as other: Tensor) -> Bool {
        guard elementType == other.elementType, shape == other.shape else { return false }
        return withUnsafeBytes { left in
            other.withUnsafeBytes { right in
                guard let one = left.baseAddress, let two = right.baseAddress else { return true }
                return one == two || memcmp(one, two, left.count) == 0
            }
        }
    }
}

extension Node {
    /// Whether both state the same attributes, subgraphs included.
    func hasSameAttributes(as other: Node) -> Bool {
        attributes.count == other.attributes.count && opset == other.opset
            && attributes.allSatisfy { name, value in
                other.attributes[name].map { value.isSame(as: $0) } ?? false
            }
    }
}

extension Attribute {
    func isSame(as other: Attribute) -> Bool {
        switch (self, other) {
        case (.integer(let left), .integer(let right)): left == right
        case (.real(let left), .real(let right)): left.bitPattern == right.bitPattern
        case (.string(let left), .string(let right)): left == right
        case (.tensor(let left), .tensor(let right)): left.hasSameBytes(as: right)
        case (.integers(let left), .integers(let right)): left == right
        case (.reals(let left), .reals(let right)): left.map(\.bitPattern) == right.map(\.bitPattern)
        case (.strings(let left), .strings(let right)): left == right
        case (.graph(let left), .graph(let right)): left.graph.isSame(as: right.graph)
        default: false
        }
    }
}

extension Graph {
    /// Whether both are the same node by node, under the same names.
    fileprivate func isSame(as other: Graph) -> Bool {
        guard inputs.map(\.name) == other.inputs.map(\.name),
            outputs.map(\.name) == other.outputs.map(\.name), nodes.count == other.nodes.count,
            constants.count == other.constants.count
        else { return false }
        return zip(nodes, other.nodes).allSatisfy { left, right in
            left.type == right.type && left.domain == right.domain && left.inputs == right.inputs
                && left.outputs == right.outputs && left.hasSameAttributes(as: right)
        }
            && constants.allSatisfy { name, tensor in
                other.constants[name].map { tensor.hasSameBytes(as: $0) } ?? false
            }
    }
}
