/// Why requests fail, as Triton's metrics tell it.
package enum FailureReason: Int, CaseIterable, Sendable {
    /// Not run: too many waited, or its timeout passed.
    case rejected
    /// The client has gone.
    case canceled
    /// The network could not be run on it.
    case backend
    case other

    /// What a request that was queued, or should have been, failed by.
    init(_ error: ServingError) {
        self =
            switch error {
            case .abandoned: .canceled
            case .timedOut, .overloaded, .stopping: .rejected
            default: .backend
            }
    }

    /// Triton's name.
    package var name: String {
        switch self {
        case .rejected: "REJECTED"
        case .canceled: "CANCELED"
        case .backend: "BACKEND"
        case .other: "OTHER"
        }
    }
}
