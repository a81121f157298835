import Graph
import Kernels
import Tensors

/// Makes the schedule of an executable for concrete input shapes.
struct ScheduleBuilder {
    let executable: Executable
    let threadCount: Int
    private(set) var values: [String: ValueInfo]
    private(set) var shapes: [String: Shape] = [:]
    /// Values whose elements follow from the input shapes: they are not computed in a run.
    private var precomputed: [String: Tensor] = [:]
    var placed: [PlacedStep] = []
    /// The value whose memory each value lies in, when it is not its own.
    private var roots: [String: String] = [:]
    /// The same as far as views go: not where a step computes in place.
    private var viewRoots: [String: String] = [:]
    /// The numbers of the inputs, and of the outputs that are computed where the caller wants them, by the name of the
    /// value that the memory is made for.
    private var inputIndices: [String: Int] = [:]
    private var directOutputs: [String: Int] = [:]
    private var retained: [FloatMemory] = []

    /// The steps that are scheduled.
    private let range: Range<Int>
    /// What comes out: its name, and the value that holds it.
    let outputs: [(name: String, place: String)]

    struct PlacedStep {
        /// The step's number; of several that run as one, the first one's.
        let index: Int
        let operation: ScheduledOperation
        let nodes: [Node]
        let inputs: [String]
        let outputs: [String?]
    }

    /// The greatest number of bytes that one value's size is counted in.
    private static let maximumByteCount = 1 << 50

    init(_ executable: Executable, inputs: [String: ScheduleCache.Interface], threadCount: Int) {
        self.init(
            executable, inputs: inputs, threadCount: threadCount, range: executable.steps.indices,
            outputs: zip(executable.graph.outputs, executable.outputNames).map { ($0.name, $1) })
    }

    /// A schedule of the steps `range` alone, which begins at the first one.
    init(
        _ executable: Executable, inputs: [String: ScheduleCache.Interface], threadCount: Int,
        range: Range<Int>,
        outputs: [(name: String, place: String)]
    ) {
        self.executable = executable
        self.threadCount = threadCount
        self.range = range
        self.outputs = outputs
        values = executable.values
        for (name, interface) in inputs {
            values[name] = ValueInfo(interface.elementType, interface.shape.dimensions.map(Dimension.known))
            shapes[name] = interface.shape
        }
    }

    /// `nil` when a shape depends on data.
    mutating func build() throws(ExecutionError) -> Schedule? {
        for (name, tensor) in executable.graph.constants where shapes[name] == nil {
            shapes[name] = tensor.shape
        }
        for index in range {
            guard try add(index) else { return nil }
        }
        if range == executable.steps.indices { try runFirstStepsItemByItem() }
        return try place()
    }

    /// Infers and schedules one step; `false` when its shapes depend on data.
    private mutating func add(_ index: Int) throws(ExecutionError) -> Bool {
        let step = executable.steps[index]
        for node in step.nodes {
            do {
                let results = try node.operation.inferOutputs(
                    node.inputs.map { $0.flatMap { values[$0] } }, outputCount: node.outputs.count)
                for case (let name?, let result) in zip(node.outputs, results) { values[name] = result }
            } catch {
                throw .graph(error.at(node))
            }
        }
        if precompute(step) { return true }
        var outputShapes: [Shape] = []
        for output in step.outputs {
            guard let output else {
                outputShapes.append(.scalar)
                continue
            }
            guard let dimensions = values[output]?.shape, values[output]?.elementType != nil else {
                return false
            }
            let shape: Shape
            do {
                shape = try Shape(dimensions)
            } catch {
                throw .graph(.tensor(error).at(step.nodes[0]))
            }
            // Before anything is computed from the extents: they fit into the memory that a run may use.
            _ = try checked(shape.count, of: values[output]?.elementType?.byteCount ?? 1)
            shapes[output] = shape
            outputShapes.append(shape)
        }
        var inputShapes: [Shape] = []
        for input in step.inputs {
            guard let shape = shapes[input] else { return false }
            inputShapes.append(shape)
        }
        let operation = try step.operation.schedule(
            StepShapes(
                inputs: inputShapes, outputs: outputShapes,
                inputElements: step.inputs.map { values[$0]?.knownElements }),
            threadCount: threadCount)
        if case .view(let input) = operation.work, let output = step.outputs[0],
            let tensor = constant(step.inputs[input]), let view = try? tensor.reshaped(to: outputShapes[0])
        {
            precomputed[output] = view
            return true
        }
        placed.append(
            PlacedStep(
                index: index, operation: operation, nodes: step.nodes, inputs: step.inputs,
                outputs: step.outputs))
        return true
    }

    /// Keeps the outputs as tensors when inference knows every element: the shapes that graphs compute.
    private mutating func precompute(_ step: Step) -> Bool {
        var tensors: [String: Tensor] = [:]
        for output in step.outputs {
            guard let output else { continue }
            guard let info = values[output], let type = info.elementType, type.isInteger,
                let elements = info.knownElements, let dimensions = info.shape, dimensions.count <= 1,
                let shape = try? Shape(dimensions), shape.count == elements.count
            else { return false }
            tensors[output] =
                ExactTensor(integers: elements.map { Int64($0) }, shape: shape, elementType: type).tensor
        }
        for (name, tensor) in tensors {
            precomputed[name] = tensor
            shapes[name] = tensor.shape
        }
        return true
    }

    /// The tensor of a value that no run computes.
    func constant(_ name: String) -> Tensor? {
        precomputed[name] ?? executable.graph.fixedConstant(name)
    }

    // MARK: Memory

    /// The value in whose memory `name` lies.
    private func root(_ name: String) -> String { roots[name] ?? name }

    private func isInArena(_ name: String) -> Bool { constant(name) == nil }

    func byteCount(_ name: String) throws(ExecutionError) -> Int {
        guard let shape = shapes[name], let type = values[name]?.elementType else { return 0 }
        let layout = executable.layouts[name] ?? .plain
        return try checked(layout.count(shape) ?? .max, of: type.byteCount)
    }

    private func checked(_ count: Int, of size: Int) throws(ExecutionError) -> Int {
        let (product, overflow) = count.multipliedReportingOverflow(by: size)
        let limit = executable.options.arenaLimitByteCount
        guard !overflow, product <= min(limit, Self.maximumByteCount) else {
            throw .memory(byteCount: overflow ? .max : product, limit: limit)
        }
        return product
    }

    private mutating func place() throws(ExecutionError) -> Schedule {
        let inputNames = executable.inputNames
        let lastUses = shareMemory()
        for (index, name) in inputNames.enumerated() { inputIndices[name] = index }
        findDirectOutputs()
        var first: [String: Int] = [:]
        var order: [String] = []
        func begin(_ name: String, _ position: Int) {
            if first.updateValue(position, forKey: name) == nil { order.append(name) }
        }
        for name in inputNames { begin(name, -1) }
        for (position, step) in placed.enumerated() {
            for case let name? in step.outputs where root(name) == name && precomputed[name] == nil {
                begin(name, position)
            }
        }
        var buffers: [MemoryPlanner.Buffer] = []
        for name in order {
            buffers.append(
                MemoryPlanner.Buffer(
                    byteCount: try byteCount(name), first: first[name]!, last: lastUses[name] ?? first[name]!)
            )
        }
        var scratchBuffers: [Int: Int] = [:]
        var workerScratch = 0
        for (position, step) in placed.enumerated() {
            let operation = step.operation
            if operation.scratchCount > 0 {
                scratchBuffers[position] = buffers.count
                buffers.append(
                    MemoryPlanner.Buffer(
                        byteCount: try checked(operation.scratchCount, of: MemoryLayout<Float>.stride),
                        first: position, last: position))
            }
            if operation.workerScratchCount > 0 {
                workerScratch = max(
                    workerScratch,
                    try checked(
                        operation.workerScratchCount + FloatMemory.slack, of: MemoryLayout<Float>.stride))
            }
        }
        let limit = executable.options.arenaLimitByteCount
        guard let plan = MemoryPlanner.place(buffers, limit: limit) else {
            let needed = buffers.reduce(0) { max($0, $1.byteCount) }
            throw .memory(byteCount: max(needed, limit), limit: limit)
        }
        workerScratch = (workerScratch + Arena.alignment - 1) / Arena.alignment * Arena.alignment
        let scratchTotal = try checked(workerScratch, of: threadCount)
        guard scratchTotal <= limit - plan.byteCount else {
            throw .memory(byteCount: plan.byteCount + scratchTotal, limit: limit)
        }
        var offsets: [String: Int] = [:]
        for (name, offset) in zip(order, plan.byteOffsets) { offsets[name] = offset }
        var steps: [Schedule.ScheduledStep] = []
        for (position, step) in placed.enumerated() {
            let scratch = scratchBuffers[position].map { plan.byteOffsets[$0] } ?? 0
            if case .view = step.operation.work { continue }
            steps.append(bind(step, offsets, scratch))
        }
        var results: [Schedule.Output] = []
        for index in outputs.indices { results.append(output(index, offsets)) }
        return Schedule(
            threadCount: threadCount,
            inputs: inputNames.map { name in
                Schedule.Input(
                    elementType: values[name]?.elementType ?? .float32, shape: shapes[name] ?? .scalar,
                    byteOffset: offsets[name] ?? 0)
            },
            outputs: results, steps: steps, valueByteCount: plan.byteCount,
            workerScratchByteCount: workerScratch, byteCount: plan.byteCount + scratchTotal,
            retained: retained)
    }

    /// Outputs that steps compute, each in memory of its own.
    private mutating func findDirectOutputs() {
        var counts: [String: Int] = [:]
        let places = outputs.map { viewRoots[$0.place] ?? $0.place }
        for name in places { counts[name, default: 0] += 1 }
        for (index, name) in places.enumerated() {
            let output = outputs[index].place
            guard isInArena(output), isInArena(name), counts[name] == 1, inputIndices[name] == nil,
                let size = try? byteCount(name), let needed = try? byteCount(output), size == needed
            else { continue }
            directOutputs[name] = index
        }
    }

    private mutating func output(_ index: Int, _ offsets: [String: Int]) -> Schedule.Output {
        let (name, place) = outputs[index]
        let source: Schedule.Output.Source
        if let tensor = constant(name) {
            source = .known(tensor)
        } else if directOutputs[viewRoots[place] ?? place] == index {
            source = .direct(byteOffset: offsets[root(place)] ?? 0)
        } else {
            source = .value(location(place, offsets))
        }
        return Schedule.Output(
            elementType: values[name]?.elementType ?? .float32, shape: shapes[name] ?? .scalar,
            source: source)
    }

    /// Lets views and outputs lie in the memory of inputs where that is allowed; returns where each memory is used last.
    private mutating func shareMemory() -> [String: Int] {
        for step in placed {
            guard case .view(let input) = step.operation.work else { continue }
            if let output = step.outputs[0] { roots[output] = root(step.inputs[input]) }
        }
        viewRoots = roots
        var lastUses: [String: Int] = [:]
        for (position, step) in placed.enumerated() {
            for name in step.inputs { lastUses[root(name)] = position }
            for case let name? in step.outputs {
                lastUses[root(name)] = max(position, lastUses[root(name)] ?? 0)
            }
        }
        for (_, place) in outputs { lastUses[root(place)] = placed.count }
        var merged: [String: String] = [:]
        func final(_ name: String) -> String {
            var name = name
            while let next = merged[name] { name = next }
            return name
        }
        for (position, step) in placed.enumerated() {
            let inputs = step.inputs
            guard !step.operation.reusableInputs.isEmpty, let output = step.outputs[0],
                root(output) == output
            else { continue }
            for index in step.operation.reusableInputs {
                let memory = final(root(inputs[index]))
                guard isInArena(inputs[index]), isInArena(memory), lastUses[memory] == position,
                    inputs.filter({ final(root($0)) == memory }).count == 1,
                    shapes[inputs[index]]?.count == shapes[output]?.count,
                    executable.layouts[inputs[index]] == executable.layouts[output],
                    values[inputs[index]]?.elementType == values[output]?.elementType
                else { continue }
                merged[output] = memory
                lastUses[memory] = max(position, lastUses[output] ?? position)
                break
            }
        }
        for name in Set(roots.keys).union(merged.keys) { roots[name] = final(root(name)) }
        return lastUses
    }

    // MARK: Binding

    private mutating func location(_ name: String, _ offsets: [String: Int]) -> Location {
        let memory = viewRoots[name] ?? name
        if let index = inputIndices[memory] { return .input(index) }
        if let index = directOutputs[memory] { return .output(index) }
        let root = root(name)
        if let memory = executable.constantMemory[root] { return .constant(memory.pointer) }
        if let tensor = constant(name), tensor.elementType == .float32 {
            let memory = FloatMemory(tensor)
            retained.append(memory)
            return .constant(memory.pointer)
        }
        return .arena(offsets[root] ?? 0)
    }

    /// `place`: the value that holds it, when it is not its own.
    private mutating func value(
        _ name: String, at place: String? = nil, _ offsets: [String: Int]
    ) -> (location: Location, elementType: ElementType, shape: Shape) {
        (location(place ?? name, offsets), values[name]?.elementType ?? .float32, shapes[name] ?? .scalar)
    }

    private mutating func bind(
        _ placed: PlacedStep, _ offsets: [String: Int], _ scratch: Int
    ) -> Schedule.ScheduledStep {
        let step = executable.steps[placed.index]
        var evaluation: Schedule.Evaluation?
        if case .evaluation(let node) = placed.operation.work {
            var arguments: [Schedule.Evaluation.Argument] = []
            for name in node.inputs {
                if let name, let tensor = constant(name) {
                    arguments.append(.constant(tensor))
                } else if let name {
                    let value = value(name, at: step.copies[name], offsets)
                    arguments.append(.value(value.location, value.elementType, value.shape))
                } else {
                    arguments.append(.absent)
                }
            }
            var results: [(location: Location, elementType: ElementType, shape: Shape)?] = []
            for name in node.outputs {
                guard let name else {
                    results.append(nil)
                    continue
                }
                results.append(value(name, offsets))
            }
            evaluation = Schedule.Evaluation(arguments: arguments, results: results)
        }
        var locations: [Location] = []
        for name in placed.inputs { locations.append(location(name, offsets)) }
        for name in placed.outputs { locations.append(name.map { location($0, offsets) } ?? .arena(0)) }
        let work = StepWork(placed.nodes, values)
        return Schedule.ScheduledStep(
            operation: placed.operation.work, locations: locations, inputCount: placed.inputs.count,
            scratchByteOffset: scratch, evaluation: evaluation, stepIndex: placed.index,
            work: work, threadLimit: work.threadLimit(executable.options.nanosecondsPerThread))
    }
}
