import Execution
import Graph
import ModelFormats
import Tensors

/// Why a model of the repository cannot be served: one line each.
package enum RepositoryError: Error, CustomStringConvertible {
    case folder(path: String, reason: String)
    case noVersion(path: String, expected: String)
    case noChosenVersion(path: String)
    case versionName(String)
    case modelCount(maximum: Int)
    case description(path: String, reason: String)
    case format(ModelError)
    case graph(GraphError)
    case execution(ExecutionError)
    case interface(name: String, reason: String)
    case files(String)
    case changedWhileLoading
    case weight(name: String, index: Int)
    case memory(needed: Int, available: Int)
    case golden(file: String, reason: String)
    case goldenMismatch(
        output: String, index: Int, expected: Double, actual: Double, tolerance: Double)

    package var description: String {
        switch self {
        case .folder(let path, let reason): "\(path): \(reason)"
        case .noVersion(let path, let expected):
            "\(path): no version; expected a file such as 1/\(expected) in it"
        case .noChosenVersion(let path): "\(path): no version that 'versionPolicy' chooses"
        case .versionName(let name):
            "folder '\(name)' holds a model but is no version: expected 1, 2, 3, …"
        case .modelCount(let maximum): "more than \(maximum) models or versions in one repository"
        case .description(let path, let reason): "\(path): \(reason)"
        case .format(let error): error.description
        case .graph(let error): error.description
        case .execution(let error): error.description
        case .interface(let name, let reason): "value '\(name)' \(reason)"
        case .files(let problem): problem
        case .changedWhileLoading:
            "the files changed while they were read; put new ones in their place by renaming"
        case .weight(let name, let index): "weight '\(name)' is not finite at element \(index)"
        case .memory(let needed, let available):
            "needs about \(needed >> 20) MiB of memory, \(available >> 20) MiB are left"
        case .golden(let file, let reason): "golden file '\(file)': \(reason)"
        case .goldenMismatch(let output, let index, let expected, let actual, let tolerance):
            "golden check failed: output '\(output)' element \(index) is \(actual), expected \(expected) "
                + "within \(tolerance)"
        }
    }
}
