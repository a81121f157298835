/// Why a model does not answer a request. Every case knows its HTTP status.
package enum ServingError: Error, Equatable, CustomStringConvertible {
    case unknownModel(name: String)
    case unknownVersion(model: String, version: String)
    case notReady(model: String, version: String?, reason: String)
    case inputCount(model: String, expected: Int, actual: Int)
    case missingInput(model: String, input: String)
    case repeatedInput(model: String, input: String)
    case unexpectedInput(model: String, input: String)
    case unexpectedOutput(model: String, output: String)
    /// Both types by their protocol names: `FP32`.
    case datatype(model: String, input: String, expected: String, actual: String)
    /// -1 stands for an extent that the model leaves open.
    case shape(model: String, input: String, expected: [Int], actual: [Int])
    /// The network cannot be computed for these inputs.
    case execution(model: String, reason: String)
    /// A failure of ours.
    case failure(model: String, reason: String)
    case outOfMemory(model: String, reason: String)
    /// A request was not even queued; it may be sent again after that time.
    case overloaded(model: String, reason: String, retryMilliseconds: Int)
    case timedOut(model: String)
    case busy(what: String)
    case stopping
    case abandoned

    package var status: Int {
        switch self {
        case .unknownModel, .unknownVersion: 404
        case .failure: 500
        case .notReady, .overloaded, .outOfMemory, .timedOut, .busy, .stopping, .abandoned: 503
        case .inputCount, .missingInput, .repeatedInput, .unexpectedInput, .unexpectedOutput, .datatype,
            .shape, .execution:
            400
        }
    }

    package var description: String {
        switch self {
        case .unknownModel(let name): "Request for unknown model: '\(name)' is not found"
        case .unknownVersion(let model, let version):
            "Request for unknown model: '\(model)' version \(version) is not found"
        case .notReady(let model, let version, let reason):
            "model '\(model)'" + (version.map { " version \($0)" } ?? "") + " is not ready: \(reason)"
        case .inputCount(let model, let expected, let actual):
            "expected \(expected) inputs but got \(actual) inputs for model '\(model)'"
        case .missingInput(let model, let input): "inference input '\(input)' is missing for model '\(model)'"
        case .repeatedInput(let model, let input):
            "inference input '\(input)' is given twice for model '\(model)'"
        case .unexpectedInput(let model, let input):
            "unexpected inference input '\(input)' for model '\(model)'"
        case .unexpectedOutput(let model, let output):
            "unexpected inference output '\(output)' for model '\(model)'"
        case .datatype(let model, let input, let expected, let actual):
            "inference input '\(input)' data-type is '\(actual)', but model '\(model)' expects '\(expected)'"
        case .shape(let model, let input, let expected, let actual):
            "unexpected shape for input '\(input)' for model '\(model)'. "
                + "Expected \(Self.list(expected)), got \(Self.list(actual))."
        case .execution(let model, let reason), .failure(let model, let reason),
            .outOfMemory(let model, let reason):
            "model '\(model)': \(reason)"
        case .overloaded(let model, let reason, _): "model '\(model)' is overloaded: \(reason)"
        case .timedOut(let model): "model '\(model)': the request's timeout passed while it was queued"
        case .busy(let what): "too much work is waiting: \(what)"
        case .stopping: "the server is shutting down"
        case .abandoned: "the client has gone"
        }
    }

    /// Reading bodies and measuring folds take moments, for which there are no estimates.
    private static let busyMilliseconds = 1000

    /// After how many milliseconds the request may be sent again; `nil`: not known.
    package var retryMilliseconds: Int? {
        switch self {
        case .overloaded(_, _, let milliseconds): milliseconds
        case .busy: Self.busyMilliseconds
        default: nil
        }
    }

    private static func list(_ extents: [Int]) -> String {
        "[" + extents.map(String.init).joined(separator: ",") + "]"
    }
}
