import Graph
import Tensors

/// Runs a schedule: copies the inputs into the arena, goes through the steps and copies the outputs out.
struct ScheduleRunner {
    private let schedule: Schedule
    private let arena: Arena
    private let pool: WorkerPool

    init(_ schedule: Schedule, arena: Arena, pool: WorkerPool) {
        self.schedule = schedule
        self.arena = arena
        self.pool = pool
    }

    /// `inputs` holds every input of the schedule, in its shape and type.
    func run(_ inputs: [String: Tensor], times: StepTimes?) throws(ExecutionError) -> [String: Tensor] {
        let base = try arena.reserve(schedule.byteCount)
        for port in schedule.inputs {
            guard let tensor = inputs[port.name] else { throw .missingInput(name: port.name) }
            let target = port.location.address(in: base)
            tensor.withUnsafeBytes { bytes in
                if let source = bytes.baseAddress { target.copyMemory(from: source, byteCount: bytes.count) }
            }
        }
        for step in schedule.steps {
            let start = times == nil ? 0 : StepTimes.now()
            try run(step, base)
            if let times { times.nanoseconds[step.stepIndex] += StepTimes.now() - start }
        }
        var outputs = schedule.constantOutputs
        for port in schedule.outputs {
            outputs[port.name] = Self.tensor(port.location, port.elementType, port.shape, base)
        }
        return outputs
    }

    private func run(_ step: Schedule.ScheduledStep, _ base: UnsafeMutableRawPointer) throws(ExecutionError) {
        switch step.work {
        case .view: return
        case .phases(let phases):
            step.locations.withUnsafeBufferPointer { locations in
                let workers = base + schedule.valueByteCount
                for phase in phases {
                    pool.run(taskCount: phase.taskCount) { worker, task in
                        phase.body(
                            TaskMemory(
                                arena: base, locations: locations.baseAddress!, inputCount: step.inputCount,
                                scratchLocation: step.scratchByteOffset,
                                workerScratchAddress: workers + worker * schedule.workerScratchByteCount),
                            task)
                    }
                }
            }
        case .evaluation(let node):
            guard let evaluation = step.evaluation else {
                preconditionFailure("an evaluation without values")
            }
            try evaluate(node, evaluation, base)
        }
    }

    private func evaluate(
        _ node: Node, _ evaluation: Schedule.Evaluation, _ base: UnsafeMutableRawPointer
    ) throws(ExecutionError) {
        let arguments = evaluation.arguments.map { argument -> ExactTensor? in
            switch argument {
            case .absent: nil
            case .constant(let tensor): ExactTensor(tensor)
            case .value(let location, let type, let shape):
                ExactTensor(Self.tensor(location, type, shape, base))
            }
        }
        let results: [ExactTensor]
        do {
            results = try Evaluator(rounding: .declared).evaluate(node, arguments)
        } catch {
            throw .graph(error)
        }
        for (result, planned) in zip(results, evaluation.results) {
            guard let planned else { continue }
            guard result.shape == planned.shape, result.elementType == planned.elementType else {
                throw .graph(
                    .input(
                        node.type,
                        reason: "computed \(result.elementType)\(result.shape), "
                            + "inferred \(planned.elementType)\(planned.shape)"
                    ).at(node))
            }
            let target = planned.location.address(in: base)
            result.tensor.withUnsafeBytes { bytes in
                if let source = bytes.baseAddress { target.copyMemory(from: source, byteCount: bytes.count) }
            }
        }
    }

    private static func tensor(
        _ location: Location, _ type: ElementType, _ shape: Shape, _ base: UnsafeMutableRawPointer
    ) -> Tensor {
        Tensor(elementType: type, shape: shape) { bytes in
            if !bytes.isEmpty {
                bytes.copyMemory(
                    from: UnsafeRawBufferPointer(start: location.address(in: base), count: bytes.count))
            }
        }
    }
}
