/// Why requests fail, as Triton's metrics tell it.
package enum FailureReason: Int, CaseIterable, Sendable {
    /// Not run: too many waited, or its timeout passed.
    case rejected
    /// The client has gone.
    case canceled
    /// The network could not be run on it.
    case backend
    case other

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
