import Kernels
import Synchronization

/// Steps that an item of a batch goes through on one thread, with values of its own in that thread's scratch.
final class ItemwiseRun: Sendable {
    private struct Phase: Sendable {
        let body: @Sendable (_ memory: TaskMemory, _ task: Int) -> Void
        let taskCount: Int
        /// The step's first location.
        let firstLocation: Int
        let inputCount: Int
        let scratchByteOffset: Int
        let stepIndex: Int
    }

    private let phases: [Phase]
    private let locations: [Location]
    /// For each input of the schedule: its number among the step's, and the bytes of an item.
    private let inputs: [(number: Int, stride: Int)]
    private let outputStrides: [Int]
    private let schedule: Schedule
    private let times: PhaseTimes

    /// `schedule`: of one item on one thread. `inputs`: the numbers of its inputs in the order of the step's, with the bytes
    /// of an item of each, as `outputStrides` of each output.
    ///
    /// `nil` where a step runs its own evaluation, or an output is not computed where it is wanted.
    init?(_ schedule: Schedule, inputs: [Int], inputStrides: [Int], outputStrides: [Int]) {
        var phases: [Phase] = []
        var locations: [Location] = []
        for step in schedule.steps {
            switch step.operation {
            case .view: break
            case .evaluation, .itemwise: return nil
            case .phases(let bodies):
                for phase in bodies {
                    phases.append(
                        Phase(
                            body: phase.body, taskCount: phase.taskCount, firstLocation: locations.count,
                            inputCount: step.inputCount, scratchByteOffset: step.scratchByteOffset,
                            stepIndex: step.stepIndex))
                }
            }
            locations += step.locations
        }
        for output in schedule.outputs {
            guard case .direct = output.source else { return nil }
        }
        self.phases = phases
        times = PhaseTimes(count: phases.count)
        self.locations = locations
        self.inputs = schedule.inputs.indices.map { index in
            let number = inputs.firstIndex(of: index) ?? -1
            return (number, number >= 0 ? inputStrides[number] : 0)
        }
        self.outputStrides = outputStrides
        self.schedule = schedule
    }

    /// The floats of a thread's scratch: the values and scratch of one item, then an address for each location.
    var scratchCount: Int {
        let bytes =
            schedule.byteCount + Arena.alignment + locations.count
            * MemoryLayout<UnsafeMutableRawPointer>.stride
        return bytes / MemoryLayout<Float>.stride + FloatMemory.slack
    }

    /// Takes an item through the steps. `memory`: the inputs and outputs of the whole batch.
    func run(_ item: Int, _ memory: TaskMemory) {
        let base = UnsafeMutableRawPointer(memory.workerScratch)
        let tableOffset = (schedule.byteCount + Arena.alignment - 1) / Arena.alignment * Arena.alignment
        let addresses = (base + tableOffset).bindMemory(
            to: UnsafeMutableRawPointer.self, capacity: locations.count)
        for (index, location) in locations.enumerated() {
            addresses[index] =
                switch location {
                case .constant(let pointer): UnsafeMutableRawPointer(mutating: pointer)
                case .arena(let byteOffset): base + byteOffset
                case .input(let number):
                    memory.addresses[inputs[number].number] + item * inputs[number].stride
                case .output(let number):
                    memory.addresses[memory.inputCount + number] + item * outputStrides[number]
                }
        }
        let isMeasured = times.isMeasured.load(ordering: .relaxed)
        for (index, phase) in phases.enumerated() {
            let start = isMeasured ? StepTimes.now() : 0
            let phaseMemory = TaskMemory(
                addresses: UnsafePointer(addresses + phase.firstLocation), inputCount: phase.inputCount,
                scratchAddress: base + phase.scratchByteOffset,
                workerScratchAddress: base + schedule.valueByteCount)
            for task in 0..<phase.taskCount { phase.body(phaseMemory, task) }
            if isMeasured { times[index].add(StepTimes.now() &- start, ordering: .relaxed) }
        }
    }

    // MARK: Profiles

    /// The steps and what they do for an item.
    var works: [(stepIndex: Int, work: StepWork)] { schedule.steps.map { ($0.stepIndex, $0.work) } }

    /// Makes the runs of all sessions add up, until told otherwise, what each step takes of its thread.
    func measure(_ isMeasured: Bool) { times.isMeasured.store(isMeasured, ordering: .relaxed) }

    /// What the steps have taken since the last call, all threads together.
    func takeTimes() -> [(stepIndex: Int, nanoseconds: UInt64)] {
        phases.indices.map { index in
            (phases[index].stepIndex, times[index].exchange(0, ordering: .relaxed))
        }
    }

    /// A counter a phase.
    private final class PhaseTimes: @unchecked Sendable {
        // The pointer is written in `init` alone; what it points to is atomic.
        let isMeasured = Atomic<Bool>(false)
        private let nanoseconds: UnsafeMutablePointer<Atomic<UInt64>>
        private let count: Int

        init(count: Int) {
            self.count = count
            nanoseconds = .allocate(capacity: count)
            for index in 0..<count { (nanoseconds + index).initialize(to: Atomic(0)) }
        }

        deinit { nanoseconds.deinitialize(count: count).deallocate() }

        subscript(index: Int) -> Atomic<UInt64> {
            _read { yield nanoseconds[index] }
        }
    }
}
