import Glibc
import Graph
import Kernels
import Tensors

/// One place to run an executable; not for two threads at once.
package final class Session {
    package let executable: Executable
    let pool: WorkerPool
    private let arena = Arena()
    /// The values of the last run, when its shapes depended on data.
    private let measured = StepTimes()

    /// `threadCount`: all threads of a run, the caller's included.
    package convenience init(_ executable: Executable, threadCount: Int) {
        self.init(executable, pool: WorkerPool(threadCount: threadCount))
    }

    /// A session that shares its threads with others.
    package init(_ executable: Executable, pool: WorkerPool) {
        self.executable = executable
        self.pool = pool
    }

    /// Runs the network. Inputs and outputs go by name; every output of the graph is returned.
    package func run(_ inputs: [String: Tensor]) throws(ExecutionError) -> [String: Tensor] {
        try run(inputs, times: nil)
    }

    /// Runs the network and returns what each step took, in nanoseconds, in the order of `stepDescriptions`.
    package func measure(
        _ inputs: [String: Tensor]
    ) throws(ExecutionError) -> (outputs: [String: Tensor], nanoseconds: [UInt64]) {
        measured.nanoseconds = [UInt64](repeating: 0, count: executable.steps.count)
        let outputs = try run(inputs, times: measured)
        return (outputs, measured.nanoseconds)
    }

    private func run(
        _ inputs: [String: Tensor], times: StepTimes?
    ) throws(ExecutionError) -> [String: Tensor] {
        try executable.validate(inputs)
        var interfaces: [String: ScheduleCache.Interface] = [:]
        for (name, tensor) in given(inputs) {
            interfaces[name] = ScheduleCache.Interface(elementType: tensor.elementType, shape: tensor.shape)
        }
        let key = ScheduleCache.Key(inputs: interfaces, threadCount: pool.threadCount)
        let entry = try executable.schedules.entry(key) { () throws(ExecutionError) -> ScheduleCache.Entry in
            var builder = ScheduleBuilder(executable, inputs: interfaces, threadCount: pool.threadCount)
            return try builder.build().map { .fixed($0) } ?? .dataDependent
        }
        switch entry {
        case .fixed(let schedule):
            return try ScheduleRunner(schedule, arena: arena, pool: pool).run(given(inputs), times: times)
        case .dataDependent:
            return try DataDependentRunner(executable, arena: arena, pool: pool).run(
                given(inputs), times: times)
        }
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
}

/// How long each step of a run took.
final class StepTimes {
    var nanoseconds: [UInt64] = []

    static func now() -> UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }
}
