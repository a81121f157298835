import Graph
import Kernels
import Tensors

/// A schedule whose every address in one session's memory is known: a run fills in where inputs and outputs lie and goes
/// through the phases.
///
/// A run allocates nothing and takes no lock, except where a node's own evaluation runs.
final class BoundSchedule {
    // `addresses` and `actions` belong to this object alone; the pointers in them stay valid while the arena does not move
    // (`base` says where it was) and while the schedule lives; those of inputs and outputs are set anew in every run.
    let schedule: Schedule
    let base: UnsafeMutableRawPointer
    private let addresses: UnsafeMutableBufferPointer<UnsafeMutableRawPointer>
    private let actions: UnsafeMutableBufferPointer<Action>
    private let evaluations: [Schedule.ScheduledStep]
    /// Where inputs and outputs lie now.
    private let inputAddresses: UnsafeMutableBufferPointer<UnsafeMutableRawPointer>
    private let outputAddresses: UnsafeMutableBufferPointer<UnsafeMutableRawPointer>
    /// The addresses that follow an input or an output, in the order of those.
    private let inputSlots: Slots
    private let outputSlots: Slots

    private struct Slots {
        var places: [Int] = []
        /// Where those of each port begin, and the end.
        var starts: [Int] = [0]

        init(_ portCount: Int, _ locations: [Location], _ port: (Location) -> Int?) {
            for index in 0..<portCount {
                for (place, location) in locations.enumerated() where port(location) == index {
                    places.append(place)
                }
                starts.append(places.count)
            }
        }
    }

    /// A phase, or a node's own evaluation.
    private struct Action {
        let body: (@Sendable (_ memory: TaskMemory, _ task: Int) -> Void)?
        /// The evaluation's number, when there is no body.
        let evaluation: Int
        let taskCount: Int
        let threadLimit: Int
        let addresses: UnsafePointer<UnsafeMutableRawPointer>
        let inputCount: Int
        let scratchAddress: UnsafeMutableRawPointer
        let workerScratchAddress: UnsafeMutableRawPointer
        let workerScratchByteCount: Int
        let stepIndex: Int

        static let runTask: WorkerPool.Function = { context, worker, task in
            let action = context.assumingMemoryBound(to: Action.self)
            action.pointee.body?(action.pointee.memory(worker), task)
        }

        func memory(_ worker: Int) -> TaskMemory {
            TaskMemory(
                addresses: addresses, inputCount: inputCount, scratchAddress: scratchAddress,
                workerScratchAddress: workerScratchAddress + worker * workerScratchByteCount)
        }
    }

    init(_ schedule: Schedule, base: UnsafeMutableRawPointer) {
        self.schedule = schedule
        self.base = base
        let locations = schedule.steps.flatMap(\.locations)
        inputAddresses = Self.places(schedule.inputs.map { base + $0.byteOffset })
        outputAddresses = Self.places(
            schedule.outputs.map { output in
                if case .direct(let byteOffset) = output.source { base + byteOffset } else { base }
            })
        inputSlots = Slots(schedule.inputs.count, locations) {
            if case .input(let index) = $0 { index } else { nil }
        }
        outputSlots = Slots(schedule.outputs.count, locations) {
            if case .output(let index) = $0 { index } else { nil }
        }
        let (inputs, outputs) = (inputAddresses, outputAddresses)
        addresses = Self.places(locations.map { Self.address($0, base, inputs, outputs) })
        var actions: [Action] = []
        var evaluations: [Schedule.ScheduledStep] = []
        var first = UnsafePointer(addresses.baseAddress!)
        for step in schedule.steps {
            func add(_ phase: ScheduledOperation.Phase?) {
                actions.append(
                    Action(
                        body: phase?.body, evaluation: evaluations.count - 1,
                        taskCount: phase?.taskCount ?? 1, threadLimit: step.threadLimit,
                        addresses: first,
                        inputCount: step.inputCount, scratchAddress: base + step.scratchByteOffset,
                        workerScratchAddress: base + schedule.valueByteCount,
                        workerScratchByteCount: schedule.workerScratchByteCount, stepIndex: step.stepIndex))
            }
            switch step.operation {
            case .view: break
            case .phases(let phases): for phase in phases { add(phase) }
            case .itemwise(let run, let itemCount):
                add(
                    ScheduledOperation.Phase(taskCount: itemCount) { memory, item in run.run(item, memory) })
            case .evaluation:
                evaluations.append(step)
                add(nil)
            }
            first += step.locations.count
        }
        self.actions = Self.places(actions)
        self.evaluations = evaluations
    }

    deinit {
        for places in [addresses, inputAddresses, outputAddresses] { places.deallocate() }
        actions.deinitialize().deallocate()
    }

    /// Memory for the elements; never without an address.
    private static func places<Element>(_ elements: [Element]) -> UnsafeMutableBufferPointer<Element> {
        let start = UnsafeMutablePointer<Element>.allocate(capacity: elements.count + 1)
        start.initialize(from: elements, count: elements.count)
        return UnsafeMutableBufferPointer(start: start, count: elements.count)
    }

    private static func address(
        _ location: Location, _ base: UnsafeMutableRawPointer,
        _ inputs: UnsafeMutableBufferPointer<UnsafeMutableRawPointer>,
        _ outputs: UnsafeMutableBufferPointer<UnsafeMutableRawPointer>
    ) -> UnsafeMutableRawPointer {
        switch location {
        case .constant(let pointer): UnsafeMutableRawPointer(mutating: pointer)
        case .arena(let byteOffset): base + byteOffset
        case .input(let index): inputs[index]
        case .output(let index): outputs[index]
        }
    }

    private func address(_ location: Location) -> UnsafeMutableRawPointer {
        Self.address(location, base, inputAddresses, outputAddresses)
    }

    /// Whether the schedule was made for inputs such as these and so many threads.
    func fits(_ inputs: [Tensor], threadCount: Int) -> Bool {
        guard threadCount == schedule.threadCount, inputs.count == schedule.inputs.count else { return false }
        for index in inputs.indices {
            guard inputs[index].elementType == schedule.inputs[index].elementType,
                inputs[index].shape == schedule.inputs[index].shape
            else { return false }
        }
        return true
    }

    /// Runs the schedule. `inputs` fit it; `outputs` have at least the bytes of their tensors and overlap nothing.
    ///
    /// `slackByteCount`: how far behind each output may be read.
    func run(
        _ inputs: [Tensor], into outputs: [UnsafeMutableRawBufferPointer], slackByteCount: Int,
        pool: WorkerPool, times: StepTimes?
    ) throws(ExecutionError) {
        defer { withExtendedLifetime(inputs) {} }
        for index in inputs.indices { place(inputs[index], index) }
        for index in outputs.indices { place(outputs[index], slackByteCount, index) }
        if times != nil { for run in schedule.itemwiseRuns { run.measure(true) } }
        defer { if times != nil { for run in schedule.itemwiseRuns { run.measure(false) } } }
        for index in actions.indices {
            let action = actions.baseAddress! + index
            let start = times == nil ? 0 : StepTimes.now()
            if action.pointee.body != nil {
                pool.run(
                    taskCount: action.pointee.taskCount, threadLimit: action.pointee.threadLimit,
                    context: action, Action.runTask)
            } else {
                try evaluate(evaluations[action.pointee.evaluation])
            }
            if let times { times.nanoseconds[action.pointee.stepIndex] += StepTimes.now() - start }
        }
        if let times { for run in schedule.itemwiseRuns { divide(run, among: times) } }
        for index in outputs.indices { copyOut(index, outputs[index]) }
    }

    /// Shares out what several steps took together as each has taken of its thread.
    private func divide(_ run: ItemwiseRun, among times: StepTimes) {
        let parts = run.takeTimes()
        let sum = parts.reduce(0) { $0 + $1.nanoseconds }
        guard let first = parts.first?.stepIndex, sum > 0 else { return }
        let together = Double(times.nanoseconds[first])
        times.nanoseconds[first] = 0
        for part in parts {
            times.nanoseconds[part.stepIndex] += UInt64(together * Double(part.nanoseconds) / Double(sum))
        }
    }

    /// Lets an input be read where it lies; copies it into the arena when it is not aligned or memory ends behind it.
    private func place(_ tensor: Tensor, _ index: Int) {
        let bytes = tensor.readableBytes
        let byteCount = tensor.byteCount
        var target = base + schedule.inputs[index].byteOffset
        if let source = bytes.baseAddress, byteCount > 0 {
            let slack = FloatMemory.slack * MemoryLayout<Float>.stride
            if Int(bitPattern: source) & (Arena.alignment - 1) == 0, bytes.count - byteCount >= slack {
                target = UnsafeMutableRawPointer(mutating: source)
            } else {
                target.copyMemory(from: source, byteCount: byteCount)
            }
        }
        move(&inputAddresses[index], to: target, inputSlots, index)
    }

    /// Lets an output be computed where the caller wants it, if it may be read behind it.
    private func place(_ memory: UnsafeMutableRawBufferPointer, _ slackByteCount: Int, _ index: Int) {
        guard case .direct(let byteOffset) = schedule.outputs[index].source else { return }
        var target = base + byteOffset
        if let start = memory.baseAddress, slackByteCount >= FloatMemory.slack * MemoryLayout<Float>.stride,
            Int(bitPattern: start) & (Arena.alignment - 1) == 0
        {
            target = start
        }
        move(&outputAddresses[index], to: target, outputSlots, index)
    }

    private func move(
        _ place: inout UnsafeMutableRawPointer, to target: UnsafeMutableRawPointer, _ slots: Slots,
        _ port: Int
    ) {
        guard place != target else { return }
        place = target
        for slot in slots.starts[port]..<slots.starts[port + 1] { addresses[slots.places[slot]] = target }
    }

    private func copyOut(_ index: Int, _ memory: UnsafeMutableRawBufferPointer) {
        let output = schedule.outputs[index]
        let byteCount = output.shape.count * output.elementType.byteCount
        guard byteCount > 0, let target = memory.baseAddress else { return }
        switch output.source {
        case .known(let tensor):
            target.copyMemory(from: tensor.readableBytes.baseAddress!, byteCount: byteCount)
            withExtendedLifetime(tensor) {}
        case .value(let location): target.copyMemory(from: address(location), byteCount: byteCount)
        case .direct:
            if outputAddresses[index] != target {
                target.copyMemory(from: outputAddresses[index], byteCount: byteCount)
            }
        }
    }

    private func evaluate(_ step: Schedule.ScheduledStep) throws(ExecutionError) {
        guard case .evaluation(let node) = step.operation, let evaluation = step.evaluation else {
            preconditionFailure("an evaluation without values")
        }
        let arguments = evaluation.arguments.map { argument -> ExactTensor? in
            switch argument {
            case .absent: nil
            case .constant(let tensor): ExactTensor(tensor)
            case .value(let location, let type, let shape):
                ExactTensor(
                    Tensor(elementType: type, shape: shape) { bytes in
                        guard !bytes.isEmpty else { return }
                        bytes.copyMemory(
                            from: UnsafeRawBufferPointer(start: address(location), count: bytes.count))
                    })
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
            let target = address(planned.location)
            result.tensor.withUnsafeBytes { bytes in
                if let source = bytes.baseAddress { target.copyMemory(from: source, byteCount: bytes.count) }
            }
        }
    }
}
