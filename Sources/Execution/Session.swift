import Graph
import Tensors

/// Why a run failed: the caller's input, or the model itself.
package enum ExecutionError: Error, CustomStringConvertible {
    case missingInput(name: String)
    case unexpectedInput(name: String)
    case elementType(input: String, expected: ElementType, actual: ElementType)
    case shape(input: String, expected: [Dimension], actual: [Int])
    case graph(GraphError)

    package var description: String {
        switch self {
        case .missingInput(let name): "input '\(name)' is missing"
        case .unexpectedInput(let name): "the model has no input '\(name)'"
        case .elementType(let input, let expected, let actual):
            "input '\(input)' is of type \(actual), expected \(expected)"
        case .shape(let input, let expected, let actual):
            "input '\(input)' has shape \(actual), expected [\(expected.map(\.description).joined(separator: ", "))]"
        case .graph(let error): error.description
        }
    }
}

/// A graph made ready to run: everything that depends on the model and the instruction set alone.
package final class Executable: Sendable {
    package let graph: Graph

    /// Throws the operators' errors, each at its node.
    package init(_ graph: Graph) throws(ExecutionError) {
        self.graph = graph
    }
}

/// One place to run an executable; not for two threads at once.
package final class Session {
    private let executable: Executable

    package init(_ executable: Executable, threadCount: Int) {
        self.executable = executable
    }

    /// Runs the network. Inputs and outputs go by name; every output of the graph is returned.
    package func run(_ inputs: [String: Tensor]) throws(ExecutionError) -> [String: Tensor] {
        do {
            return try Evaluator(rounding: .declared)
                .run(executable.graph, inputs: inputs.mapValues(ExactTensor.init)).mapValues(\.tensor)
        } catch {
            throw .graph(error)
        }
    }
}
