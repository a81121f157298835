import Tensors

/// What a caller wants computed.
package struct InferenceRequest: Sendable {
    package var inputs: [String: Tensor]
    /// How long the request may wait in the queue; `nil` without end.
    package var timeoutMicroseconds: UInt64?
    /// How long reading the inputs took: for the statistics.
    package var inputNanoseconds: UInt64
    /// Whether the answer would reach nobody: such a request is not run.
    package var isAbandoned: @Sendable () -> Bool
    /// Written when the request has run.
    package let times = PhaseTimes()

    package init(
        inputs: [String: Tensor], timeoutMicroseconds: UInt64? = nil,
        inputNanoseconds: UInt64 = 0,
        isAbandoned: @escaping @Sendable () -> Bool = { false }
    ) {
        self.inputs = inputs
        self.timeoutMicroseconds = timeoutMicroseconds
        self.inputNanoseconds = inputNanoseconds
        self.isAbandoned = isAbandoned
    }
}

extension InferenceRequest {
    /// The batch's size: the extent of the first input's first axis where the model leaves it open, else 1.
    package func itemCount(for interface: ModelInterface) -> Int {
        guard let port = interface.inputs.first, let axis = port.dimensions.first, axis == nil,
            let tensor = inputs[port.name], tensor.shape.rank > 0
        else { return 1 }
        return tensor.shape[0]
    }
}

/// Gets the outputs by name, on a worker thread, exactly once.
package typealias InferenceCompletion = @Sendable (Result<[String: Tensor], ServingError>) -> Void
