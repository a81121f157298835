import Tensors

extension Executable {
    /// The schedule of such inputs, kept for the next time; `nil` when shapes depend on data.
    func schedule(
        _ inputs: [String: ScheduleCache.Interface], threadCount: Int
    ) throws(ExecutionError) -> Schedule? {
        let key = ScheduleCache.Key(inputs: inputs, threadCount: threadCount)
        let entry = try schedules.entry(key) { () throws(ExecutionError) -> ScheduleCache.Entry in
            var builder = ScheduleBuilder(self, inputs: inputs, threadCount: threadCount)
            return try builder.build().map { .fixed($0) } ?? .dataDependent
        }
        guard case .fixed(let schedule) = entry else { return nil }
        return schedule
    }

    /// The bytes that a run takes beside the weights: inputs of such shapes, its arena and its outputs. `nil` where they
    /// depend on data.
    ///
    /// `shapes` has every input for which the network has no value of its own. Throws where no such run can be.
    package func runByteCount(
        _ shapes: [String: Shape], threadCount: Int
    ) throws(ExecutionError) -> Int? {
        var inputs: [String: ScheduleCache.Interface] = [:]
        for name in inputNames {
            guard let shape = shapes[name] ?? graph.constants[name]?.shape,
                let elementType = values[name]?.elementType
            else { return nil }
            inputs[name] = ScheduleCache.Interface(elementType: elementType, shape: shape)
        }
        guard let schedule = try schedule(inputs, threadCount: threadCount) else { return nil }
        // No sum overflows: the arena has a limit, and each of the others was counted into it.
        return schedule.byteCount
            + schedule.inputs.reduce(0) { $0 + $1.shape.count * $1.elementType.byteCount }
            + schedule.outputs.reduce(0) { $0 + $1.shape.count * $1.elementType.byteCount }
    }
}
