import Graph
import Kernels
import Tensors

/// Why a run failed: the caller's input, or the model itself.
package enum ExecutionError: Error, CustomStringConvertible {
    case missingInput(name: String)
    case unexpectedInput(name: String)
    case elementType(input: String, expected: ElementType, actual: ElementType)
    case shape(input: String, expected: [Dimension], actual: [Int])
    /// Tensors by number, not by name.
    case inputCount(expected: Int, actual: Int)
    case outputCount(expected: Int, actual: Int)
    /// The memory that a caller has for an output.
    case outputByteCount(output: String, expected: Int, actual: Int)
    /// The values of a run would not fit into the memory that a session may use.
    case memory(byteCount: Int, limit: Int)
    /// The system has no memory left.
    case outOfMemory(byteCount: Int)
    case kernels(KernelError)
    case graph(GraphError)

    package var description: String {
        switch self {
        case .missingInput(let name): "input '\(name)' is missing"
        case .unexpectedInput(let name): "the model has no input '\(name)'"
        case .elementType(let input, let expected, let actual):
            "input '\(input)' is of type \(actual), expected \(expected)"
        case .shape(let input, let expected, let actual):
            "input '\(input)' has shape \(actual), expected [\(expected.map(\.description).joined(separator: ", "))]"
        case .inputCount(let expected, let actual): "\(actual) inputs, expected \(expected)"
        case .outputCount(let expected, let actual): "memory for \(actual) outputs, expected \(expected)"
        case .outputByteCount(let output, let expected, let actual):
            "output '\(output)' has \(expected) bytes, its memory \(actual)"
        case .memory(let byteCount, let limit):
            "these input shapes need \(byteCount) bytes of memory, the limit is \(limit)"
        case .outOfMemory(let byteCount): "the system has no memory for \(byteCount) bytes"
        case .kernels(let error): error.description
        case .graph(let error): error.description
        }
    }
}
