import Graph
import Kernels
import Tensors

/// Runs a graph whose shapes depend on data: each step is scheduled when its inputs are there.
struct DataDependentRunner {
    private let executable: Executable
    private let arena: Arena
    private let pool: WorkerPool

    init(_ executable: Executable, arena: Arena, pool: WorkerPool) {
        self.executable = executable
        self.arena = arena
        self.pool = pool
    }

    /// `inputs` holds every input of the graph.
    func run(_ inputs: [String: Tensor], times: StepTimes?) throws(ExecutionError) -> [String: Tensor] {
        var values = inputs.mapValues { Value(tensor: $0) }
        var remainingUses: [String: Int] = [:]
        for step in executable.steps {
            for name in readValues(step) { remainingUses[name, default: 0] += 1 }
        }
        for name in executable.outputNames { remainingUses[name, default: 0] += 1 }
        for (index, step) in executable.steps.enumerated() {
            let start = times == nil ? 0 : StepTimes.now()
            try run(step, &values)
            if let times { times.nanoseconds[index] += StepTimes.now() - start }
            for name in readValues(step) {
                remainingUses[name, default: 0] -= 1
                if remainingUses[name] == 0 { values[name] = nil }
            }
            try checkMemory(values)
        }
        var outputs: [String: Tensor] = [:]
        for (output, name) in zip(executable.graph.outputs, executable.outputNames) {
            outputs[output.name] = value(name, values)?.tensor
        }
        return outputs
    }

    /// The elements of a value in the order of its layout.
    private struct Value {
        let tensor: Tensor
        /// The value's shape: a blocked tensor has more elements.
        let shape: Shape
        let layout: ValueLayout

        init(tensor: Tensor) {
            (self.tensor, shape, layout) = (tensor, tensor.shape, .plain)
        }

        init(tensor: Tensor, shape: Shape, layout: ValueLayout) {
            (self.tensor, self.shape, self.layout) = (tensor, shape, layout)
        }

        var info: ValueInfo {
            layout == .plain
                ? ValueInfo(constant: tensor)
                : ValueInfo(tensor.elementType, shape.dimensions.map(Dimension.known))
        }
    }

    /// What a step reads while it runs, and what its shapes follow from.
    private func readValues(_ step: Step) -> Set<String> {
        Set(step.inputs).union(step.nodes.flatMap { $0.inputs.compactMap { $0 } })
    }

    private func value(_ name: String, _ values: [String: Value]) -> Value? {
        values[name] ?? executable.graph.constants[name].map(Value.init(tensor:))
    }

    private func checkMemory(_ values: [String: Value]) throws(ExecutionError) {
        let limit = executable.options.arenaLimitByteCount
        var total = 0
        for value in values.values {
            let (sum, overflow) = total.addingReportingOverflow(value.tensor.byteCount)
            guard !overflow, sum <= limit else {
                throw .memory(byteCount: overflow ? .max : sum, limit: limit)
            }
            total = sum
        }
    }

    private func run(_ step: Step, _ values: inout [String: Value]) throws(ExecutionError) {
        var infos: [String: ValueInfo] = [:]
        for node in step.nodes {
            for case let name? in node.inputs where infos[name] == nil {
                infos[name] = value(name, values)?.info ?? executable.values[name]
            }
        }
        var shapes: [Shape] = []
        do {
            for node in step.nodes {
                let results = try node.operation.inferOutputs(
                    node.inputs.map { $0.flatMap { infos[$0] } }, outputCount: node.outputs.count)
                for case (let name?, let result) in zip(node.outputs, results) { infos[name] = result }
            }
            for name in step.outputs {
                guard let name, let dimensions = infos[name]?.shape else { break }
                shapes.append(try Self.shape(dimensions))
            }
        } catch {
            throw .graph(error.at(step.nodes[0]))
        }
        var arguments: [Value] = []
        for name in step.inputs {
            guard let argument = value(name, values) else {
                throw .graph(.missingValue(name: name, node: step.nodes[0].name))
            }
            arguments.append(argument)
        }
        guard shapes.count == step.outputs.count else { return try evaluate(step, &values) }
        let operation = try step.operation.schedule(
            StepShapes(
                inputs: arguments.map(\.shape), outputs: shapes,
                inputElements: step.inputs.map { infos[$0]?.knownElements }),
            threadCount: pool.threadCount)
        switch operation.work {
        case .evaluation: try evaluate(step, &values)
        case .itemwise: preconditionFailure("several steps from one operation")
        case .view(let input):
            guard let output = step.outputs[0] else { return }
            let shape = step.layout == .plain ? shapes[0] : arguments[input].tensor.shape
            do {
                values[output] = Value(
                    tensor: try arguments[input].tensor.reshaped(to: shape), shape: shapes[0],
                    layout: step.layout)
            } catch {
                throw .graph(.tensor(error).at(step.nodes[0]))
            }
        case .phases(let phases):
            var held: [Shape] = []
            for shape in shapes { held.append(try Self.held(shape, step.layout)) }
            let limit = StepWork(step.nodes, infos).threadLimit(executable.options.nanosecondsPerThread)
            let results = try compute(
                phases, operation, arguments.map(\.tensor), held, threadLimit: limit)
            for (index, name) in step.outputs.enumerated() {
                guard let name else { continue }
                values[name] = Value(tensor: results[index], shape: shapes[index], layout: step.layout)
            }
        }
    }

    /// The shape of the tensor that holds a value.
    private static func held(_ shape: Shape, _ layout: ValueLayout) throws(ExecutionError) -> Shape {
        guard layout == .blocked else { return shape }
        do {
            return try Self.shape([layout.count(shape) ?? .max])
        } catch {
            throw .graph(error)
        }
    }

    private static func shape(_ dimensions: [Int]) throws(GraphError) -> Shape {
        do { return try Shape(dimensions) } catch { throw .tensor(error) }
    }

    /// Evaluates the nodes of a step that reads plain values.
    private func evaluate(_ step: Step, _ values: inout [String: Value]) throws(ExecutionError) {
        var computed: [String: Tensor] = [:]
        for (name, copy) in step.copies { computed[name] = value(copy, values)?.tensor }
        for node in step.nodes {
            let arguments = node.inputs.map { name in
                name.flatMap { computed[$0] ?? value($0, values)?.tensor }.map(ExactTensor.init)
            }
            do {
                let results = try Evaluator(rounding: .declared).evaluate(node, arguments)
                for case (let name?, let result) in zip(node.outputs, results) {
                    computed[name] = result.tensor
                }
            } catch {
                throw .graph(error)
            }
        }
        for case let name? in step.outputs { values[name] = computed[name].map(Value.init(tensor:)) }
    }

    /// Runs phases over copies of the inputs; lowered operations compute floats alone.
    private func compute(
        _ phases: [ScheduledOperation.Phase], _ operation: ScheduledOperation, _ arguments: [Tensor],
        _ shapes: [Shape], threadLimit: Int
    ) throws(ExecutionError) -> [Tensor] {
        let size = MemoryLayout<Float>.stride
        var byteCounts = arguments.map(\.byteCount)
        for count in shapes.map(\.count) + [operation.scratchCount]
            + [Int](repeating: operation.workerScratchCount, count: pool.threadCount)
        {
            let (bytes, overflow) = count.multipliedReportingOverflow(by: size)
            byteCounts.append(overflow ? .max : bytes)
        }
        let limit = executable.options.arenaLimitByteCount
        let slack = FloatMemory.slack * size
        guard
            let plan = MemoryPlanner.place(
                byteCounts.map { .init(byteCount: min($0, .max - slack) + slack, first: 0, last: 0) },
                limit: limit)
        else { throw .memory(byteCount: byteCounts.max() ?? 0, limit: limit) }
        let base = try arena.reserve(plan.byteCount)
        for (tensor, offset) in zip(arguments, plan.byteOffsets) {
            tensor.withUnsafeBytes { bytes in
                if let source = bytes.baseAddress {
                    (base + offset).copyMemory(from: source, byteCount: bytes.count)
                }
            }
        }
        let valueCount = arguments.count + shapes.count
        let addresses = plan.byteOffsets[..<valueCount].map { base + $0 }
        addresses.withUnsafeBufferPointer { addresses in
            for phase in phases {
                pool.run(taskCount: phase.taskCount, threadLimit: threadLimit) { worker, task in
                    phase.body(
                        TaskMemory(
                            addresses: addresses.baseAddress!, inputCount: arguments.count,
                            scratchAddress: base + plan.byteOffsets[valueCount],
                            workerScratchAddress: base + plan.byteOffsets[valueCount + 1 + worker]),
                        task)
                }
            }
        }
        return zip(shapes, plan.byteOffsets[arguments.count..<valueCount]).map { shape, offset in
            Tensor(elementType: .float32, shape: shape) { bytes in
                bytes.copyMemory(from: UnsafeRawBufferPointer(start: base + offset, count: bytes.count))
            }
        }
    }
}
