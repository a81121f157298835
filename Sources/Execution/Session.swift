import Glibc
import Graph
import Kernels
import Tensors

/// One place to run an executable; not for two threads at once.
///
/// It remembers how it ran the input shapes that it was given last: a run of the same shapes only moves tensors through
/// kernels.
package final class Session {
    package let executable: Executable
    /// The threads of the next run; not to be changed while one is under way.
    package var pool: WorkerPool
    private let arena = Arena()
    /// The schedules of the last input shapes, the latest first.
    private var recent: [BoundSchedule] = []

    /// The most schedules that stay bound to the arena.
    private static let recentCapacity = 8

    /// `threadCount`: all threads of a run, the caller's included.
    package convenience init(_ executable: Executable, threadCount: Int) {
        self.init(executable, pool: WorkerPool(threadCount: threadCount))
    }

    /// A session that shares its threads with others.
    package init(_ executable: Executable, pool: WorkerPool) {
        self.executable = executable
        self.pool = pool
    }

    /// The memory in which values live; not while the session runs.
    package var arenaByteCount: Int { arena.byteCount }

    /// Runs the network. Inputs and outputs go by name; every output of the graph is returned.
    package func run(_ inputs: [String: Tensor]) throws(ExecutionError) -> [String: Tensor] {
        try run(inputs, times: nil)
    }

    /// Runs the network on inputs in the order of `Executable.inputNames`; the outputs are in the graph's order.
    package func run(_ inputs: [Tensor]) throws(ExecutionError) -> [Tensor] {
        if let bound = remembered(inputs) { return try run(bound, inputs, times: nil) }
        let named = try named(inputs)
        try executable.validate(named)
        guard let bound = try bind(inputs) else {
            let outputs = try runDataDependent(named, times: nil)
            return executable.graph.outputs.compactMap { outputs[$0.name] }
        }
        return try run(bound, inputs, times: nil)
    }

    /// The same into memory of the caller's, which must not overlap the inputs. Where the outputs' shapes were there in an
    /// earlier run of the session, it allocates nothing.
    ///
    /// `slackByteCount`: the bytes behind each output that may be read. With `Storage.slackByteCount` and aligned as
    /// `Storage` is, outputs are computed where they shall be, else they are copied there.
    /// Throws `ExecutionError.outputByteCount` for an output that does not have exactly the bytes of its memory.
    package func run(
        _ inputs: [Tensor], into outputs: [UnsafeMutableRawBufferPointer], slackByteCount: Int = 0
    ) throws(ExecutionError) {
        var bound = remembered(inputs)
        if bound == nil {
            let named = try named(inputs)
            try executable.validate(named)
            bound = try bind(inputs)
            guard bound != nil else {
                let results = try runDataDependent(named, times: nil)
                return try copy(executable.graph.outputs.compactMap { results[$0.name] }, outputs)
            }
        }
        guard let bound else { return }
        try check(outputs, bound)
        try bound.run(inputs, into: outputs, slackByteCount: slackByteCount, pool: pool, times: nil)
    }

    /// Runs the network so often and returns what each step took, in the order of `Executable.stepDescriptions`.
    package func profile(
        _ inputs: [String: Tensor], runCount: Int
    ) throws(ExecutionError) -> [StepProfile] {
        var nanoseconds = [[UInt64]](repeating: [], count: executable.steps.count)
        let times = StepTimes()
        for _ in 0..<runCount {
            times.nanoseconds = [UInt64](repeating: 0, count: executable.steps.count)
            _ = try run(inputs, times: times)
            for (index, time) in times.nanoseconds.enumerated() { nanoseconds[index].append(time) }
        }
        var works = [StepWork?](repeating: nil, count: executable.steps.count)
        var itemwise: Set<Int> = []
        if times.isFixed {
            for step in recent[0].schedule.steps {
                works[step.stepIndex] = step.work
                guard case .itemwise(let run, let itemCount) = step.operation else { continue }
                for part in run.works {
                    works[part.stepIndex] = part.work.repeated(itemCount)
                    itemwise.insert(part.stepIndex)
                }
            }
        }
        return executable.stepDescriptions.enumerated().map { index, description in
            let sorted = nanoseconds[index].sorted()
            return StepProfile(
                step: description, nanoseconds: sorted.isEmpty ? 0 : Double(sorted[sorted.count / 2]),
                work: works[index], isItemwise: itemwise.contains(index))
        }
    }

    private func run(
        _ inputs: [String: Tensor], times: StepTimes?
    ) throws(ExecutionError) -> [String: Tensor] {
        var bound: BoundSchedule?
        var ordered = executable.inputNames.compactMap { inputs[$0] }
        if ordered.count == inputs.count { bound = remembered(ordered) }
        if bound == nil {
            try executable.validate(inputs)
            let given = given(inputs)
            ordered = executable.inputNames.compactMap { given[$0] }
            bound = remembered(ordered)
            if bound == nil { bound = try bind(ordered) }
            guard bound != nil else { return try runDataDependent(given, times: times) }
        }
        guard let bound else { return [:] }
        let outputs = try run(bound, ordered, times: times)
        var result: [String: Tensor] = [:]
        for (port, tensor) in zip(executable.graph.outputs, outputs) { result[port.name] = tensor }
        return result
    }

    private func run(
        _ bound: BoundSchedule, _ inputs: [Tensor], times: StepTimes?
    ) throws(ExecutionError) -> [Tensor] {
        let count = bound.schedule.outputs.count
        var memory: [UnsafeMutableRawBufferPointer] = []
        var outputs: [Tensor] = []
        memory.reserveCapacity(count)
        outputs.reserveCapacity(count)
        for output in bound.schedule.outputs {
            var bytes = UnsafeMutableRawBufferPointer(start: nil, count: 0)
            if case .known(let tensor) = output.source {
                outputs.append(tensor)
            } else {
                outputs.append(Tensor(unfilled: output.elementType, shape: output.shape, memory: &bytes))
            }
            memory.append(bytes)
        }
        times?.isFixed = true
        try bound.run(
            inputs, into: memory, slackByteCount: Storage.slackByteCount, pool: pool, times: times)
        return outputs
    }

    // MARK: Schedules

    /// The schedule of such inputs, if a run of late had some on as many threads.
    private func remembered(_ inputs: [Tensor]) -> BoundSchedule? {
        let threadCount = pool.threadCount
        for index in recent.indices where recent[index].fits(inputs, threadCount: threadCount) {
            if index > 0 { recent.swapAt(0, index) }
            return recent[0]
        }
        return nil
    }

    /// Schedules valid inputs; `nil` when shapes depend on data.
    private func bind(_ inputs: [Tensor]) throws(ExecutionError) -> BoundSchedule? {
        var interfaces: [String: ScheduleCache.Interface] = [:]
        for (name, tensor) in zip(executable.inputNames, inputs) {
            interfaces[name] = ScheduleCache.Interface(elementType: tensor.elementType, shape: tensor.shape)
        }
        guard let schedule = try executable.schedule(interfaces, threadCount: pool.threadCount) else {
            return nil
        }
        let base = try arena.reserve(schedule.byteCount)
        recent.removeAll { $0.base != base }
        let bound = BoundSchedule(schedule, base: base)
        if recent.count >= Self.recentCapacity { recent.removeLast() }
        recent.insert(bound, at: 0)
        return bound
    }

    private func runDataDependent(
        _ inputs: [String: Tensor], times: StepTimes?
    ) throws(ExecutionError) -> [String: Tensor] {
        // The arena may move.
        recent = []
        return try DataDependentRunner(executable, arena: arena, pool: pool).run(inputs, times: times)
    }

    // MARK: Interface

    private func named(_ inputs: [Tensor]) throws(ExecutionError) -> [String: Tensor] {
        let names = executable.inputNames
        guard inputs.count == names.count else {
            throw .inputCount(expected: names.count, actual: inputs.count)
        }
        return Dictionary(uniqueKeysWithValues: zip(names, inputs))
    }

    /// The inputs, with the defaults of those that a caller may leave out.
    private func given(_ inputs: [String: Tensor]) -> [String: Tensor] {
        guard !executable.graph.overridableInputs.isEmpty else { return inputs }
        var result = inputs
        for name in executable.graph.overridableInputs where result[name] == nil {
            result[name] = executable.graph.constants[name]
        }
        return result
    }

    private func check(
        _ outputs: [UnsafeMutableRawBufferPointer], _ bound: BoundSchedule
    ) throws(ExecutionError) {
        guard outputs.count == bound.schedule.outputs.count else {
            throw .outputCount(expected: bound.schedule.outputs.count, actual: outputs.count)
        }
        for index in outputs.indices {
            let output = bound.schedule.outputs[index]
            let expected = output.shape.count * output.elementType.byteCount
            guard outputs[index].count == expected else {
                throw .outputByteCount(
                    output: executable.graph.outputs[index].name, expected: expected,
                    actual: outputs[index].count)
            }
        }
    }

    private func copy(
        _ results: [Tensor], _ outputs: [UnsafeMutableRawBufferPointer]
    ) throws(ExecutionError) {
        guard outputs.count == results.count else {
            throw .outputCount(expected: results.count, actual: outputs.count)
        }
        for (index, result) in results.enumerated() {
            guard outputs[index].count == result.byteCount else {
                throw .outputByteCount(
                    output: executable.graph.outputs[index].name, expected: result.byteCount,
                    actual: outputs[index].count)
            }
            result.withUnsafeBytes { outputs[index].copyMemory(from: $0) }
        }
    }
}

/// What a step takes.
package struct StepProfile: Sendable {
    package let step: StepDescription
    /// The median of the runs.
    package let nanoseconds: Double
    /// `nil`: nothing runs for this step, or its shapes depend on data.
    package let work: StepWork?
    /// Whether each item of the batch went through this step, and those beside it, on one thread.
    package let isItemwise: Bool
}

/// How long each step of a run took.
final class StepTimes {
    var nanoseconds: [UInt64] = []
    /// Whether the run had a schedule.
    var isFixed = false

    static func now() -> UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }
}
