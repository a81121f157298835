import Tensors

/// What can be wrong with a graph or with the values that it is given.
package enum GraphError: Error, Equatable, CustomStringConvertible {
    /// Operators that the catalogue does not have, all of a model's in one error.
    case unsupportedOperators([String])
    case attribute(String, name: String, reason: String)
    case inputCount(String, expected: ClosedRange<Int>, actual: Int)
    /// A shape, element type or value that the operator cannot take.
    case input(String, reason: String)
    case missingValue(name: String, node: String)
    case undefinedOutput(name: String)
    case duplicateValue(name: String)
    case cycle(node: String)
    case limit(String, maximum: Int, actual: Int)
    case tensor(TensorError)
    /// Any of these, at the node where it was met.
    indirect case node(String, operatorType: String, GraphError)

    /// This error with its node; an error that knows its node stays as it is.
    package func at(_ node: Node) -> GraphError {
        switch self {
        case .node, .missingValue, .undefinedOutput, .duplicateValue, .cycle, .unsupportedOperators: self
        default: .node(node.name, operatorType: node.type, self)
        }
    }

    package var description: String {
        switch self {
        case .unsupportedOperators(let names): "unsupported operators: " + names.joined(separator: ", ")
        case .attribute(let type, let name, let reason): "\(type): attribute '\(name)' \(reason)"
        case .inputCount(let type, let expected, let actual):
            expected.lowerBound == expected.upperBound
                ? "\(type) takes \(expected.lowerBound) inputs, got \(actual)"
                : "\(type) takes \(expected.lowerBound) to \(expected.upperBound) inputs, got \(actual)"
        case .input(let type, let reason): "\(type): \(reason)"
        case .missingValue(let name, let node):
            "node '\(node)': its input '\(name)' is no graph input, no initializer and no node's output"
        case .undefinedOutput(let name):
            "the graph output '\(name)' is no graph input, no initializer and no node's output"
        case .duplicateValue(let name): "the value '\(name)' is defined twice"
        case .cycle(let node): "node '\(node)' depends on its own output"
        case .limit(let what, let maximum, let actual): "\(what): \(actual) is over the limit of \(maximum)"
        case .tensor(let error): error.description
        case .node(let name, let type, let error): "node '\(name)' (\(type)): \(error)"
        }
    }
}
