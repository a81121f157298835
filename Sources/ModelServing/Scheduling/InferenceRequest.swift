import Tensors

/// What a caller wants computed.
package struct InferenceRequest: Sendable {
    package var inputs: [String: Tensor]
    /// How long the request may wait in the queue; `nil` without end.
    package var timeoutMicroseconds: UInt64?
    /// Whether the answer would reach nobody: such a request is not run.
    package var isAbandoned: @Sendable () -> Bool

    package init(
        inputs: [String: Tensor], timeoutMicroseconds: UInt64? = nil,
        isAbandoned: @escaping @Sendable () -> Bool = { false }
    ) {
        self.inputs = inputs
        self.timeoutMicroseconds = timeoutMicroseconds
        self.isAbandoned = isAbandoned
    }
}

/// Gets the outputs by name, on a worker thread, exactly once.
package typealias InferenceCompletion = @Sendable (Result<[String: Tensor], ServingError>) -> Void
