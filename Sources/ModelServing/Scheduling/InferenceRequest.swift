import Tensors

/// What a caller wants computed.
package struct InferenceRequest: Sendable {
    package var inputs: [String: Tensor]
    /// How long the request may wait in the queue; `nil` without end.
    package var timeoutMicroseconds: UInt64?
    /// As callers number them: 1 is the highest, 2 the one of those who say nothing (0), 3 and above the lowest.
    package var priority: Int
    /// How long reading the inputs took: for the statistics.
    package var inputNanoseconds: UInt64
    /// Whether the answer would reach nobody: such a request is not run.
    package var isAbandoned: @Sendable () -> Bool

    package init(
        inputs: [String: Tensor], timeoutMicroseconds: UInt64? = nil, priority: Int = 0,
        inputNanoseconds: UInt64 = 0,
        isAbandoned: @escaping @Sendable () -> Bool = { false }
    ) {
        self.inputs = inputs
        self.timeoutMicroseconds = timeoutMicroseconds
        self.priority = priority
        self.inputNanoseconds = inputNanoseconds
        self.isAbandoned = isAbandoned
    }
}

extension InferenceRequest {
    /// Levels of priority that are told apart.
    static let priorityLevelCount = 3
    private static let defaultPriority = 2

    /// From 0, the highest.
    var priorityLevel: Int {
        (priority <= 0 ? Self.defaultPriority : min(priority, Self.priorityLevelCount)) - 1
    }

    /// The batch's size: the extent of the first input's first axis where the model leaves it open, else 1.
    package func itemCount(for interface: ModelInterface) -> Int {
        guard let port = interface.inputs.first, let axis = port.dimensions.first, axis == nil,
            let tensor = inputs[port.name], tensor.shape.rank > 0
        else { return 1 }
        return tensor.shape[0]
    }
}

/// What a run gave a request.
package struct InferenceOutcome: Sendable {
    /// By name.
    package let outputs: [String: Tensor]
    /// The items of all requests in the run.
    package let batchItemCount: Int
    package let queueNanoseconds: UInt64
    package let computeNanoseconds: UInt64
}

/// Gets the outcome, on a thread of the scheduler's, exactly once.
package typealias InferenceCompletion = @Sendable (Result<InferenceOutcome, ServingError>) -> Void
