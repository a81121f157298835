import Tensors

/// A request in a queue.
struct InferenceJob: Sendable {
    let model: LoadedModel
    let request: InferenceRequest
    let completion: InferenceCompletion
    let enqueuedNanoseconds: UInt64
    /// From then on it is not run any more; `.max`: it waits without end.
    let deadlineNanoseconds: UInt64
    let itemCount: Int
    /// Whether its items may ride with those of other requests.
    let isJoinable: Bool
    /// What its run was expected to take when it came.
    var costNanoseconds: UInt64 = 0

    init(
        _ request: InferenceRequest, for model: LoadedModel, policy: BatchPolicy, nanoseconds: UInt64,
        completion: @escaping InferenceCompletion
    ) {
        self.model = model
        self.request = request
        self.completion = completion
        enqueuedNanoseconds = nanoseconds
        deadlineNanoseconds =
            request.timeoutMicroseconds.map { timeout in
                let (wait, isLong) = timeout.multipliedReportingOverflow(by: 1000)
                let (deadline, isLate) = nanoseconds.addingReportingOverflow(wait)
                return isLong || isLate ? .max : deadline
            } ?? .max
        itemCount = request.itemCount(for: model.interface)
        isJoinable =
            itemCount > 0 && itemCount < policy.maximumItemCount && model.executable.batchObstacle == nil
            && Self.hasItems(itemCount, request.inputs, model.interface)
    }

    var level: Int { request.priorityLevel }

    func isExpired(at nanoseconds: UInt64) -> Bool { deadlineNanoseconds < nanoseconds }

    /// Whether there are as many items in every input, and none has a default.
    private static func hasItems(
        _ count: Int, _ inputs: [String: Tensor], _ interface: ModelInterface
    ) -> Bool {
        let required = interface.inputs.lazy.filter { !$0.isOptional }
        return inputs.count == required.count
            && required.allSatisfy { inputs[$0.name]?.shape.dimensions.first == count }
    }

    /// Whether both requests' items may ride in one run: all axes but the first agree.
    func canJoin(_ other: InferenceJob) -> Bool {
        guard isJoinable, other.isJoinable, model === other.model else { return false }
        return request.inputs.allSatisfy { name, tensor in
            guard let others = other.request.inputs[name] else { return false }
            return tensor.elementType == others.elementType
                && tensor.shape.dimensions.dropFirst() == others.shape.dimensions.dropFirst()
        }
    }
}
