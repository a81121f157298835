import Graph
import Kernels
import Tensors
import Threads

/// A graph made ready to run: everything that depends on the model and the instruction set alone.
///
/// Weights that were packed are let go; `graph.constants` holds those that steps still read.
package final class Executable: Sendable {
    /// The graph that runs: what depends on constants alone has been computed.
    package let graph: Graph
    package let instructionSet: InstructionSet
    let options: ExecutionOptions
    let steps: [Step]
    /// What is known of every value for any input shapes.
    let values: [String: ValueInfo]
    /// The values that hold the graph's outputs, in their order, plain.
    let outputNames: [String]
    /// The values that do not lie plain.
    let layouts: [String: ValueLayout]
    /// The constants that fast steps read while they run, aligned; by value name.
    let constantMemory: [String: FloatMemory]
    let schedules: ScheduleCache
    /// The inputs in the order in which they go by number: those that a caller must give, then those that it may.
    package let inputNames: [String]
    /// What keeps the items of several requests from riding in one run; `nil`: every item's outputs follow from its own
    /// inputs, and axis 0 of every input and output holds the items.
    package let batchObstacle: String?

    /// Weights are let go one by one as `packing` packs them, if the caller gives up the graph.
    ///
    /// Throws the operators' errors, each at its node, and an instruction set that cannot be used.
    package init(
        _ original: consuming Graph, options: ExecutionOptions = ExecutionOptions(),
        packing: PanelPacking = .callerOnly
    ) throws(ExecutionError) {
        do {
            if let given = options.instructionSet {
                instructionSet = given
            } else {
                instructionSet = try InstructionSet.chosen()
            }
        } catch {
            throw .kernels(error)
        }
        guard instructionSet.isSupported else {
            throw .kernels(.unsupportedInstructionSet(instructionSet))
        }
        self.options = options
        var graph: Graph
        var values: [String: ValueInfo]
        do {
            graph = try original.precomputingConstants()
            values = try graph.inferValues()
            batchObstacle = BatchAxis.obstacle(in: graph)
            if let recognized = try PatternRecognition.recognize(graph, values) {
                graph = recognized
                values = try graph.inferValues()
            }
        } catch {
            throw .graph(error)
        }
        original.constants = [:]
        let context = LoweringContext(
            graph: graph, values: values, kernels: KernelTable(instructionSet),
            usesWinograd: options.usesWinograd, packing: packing)
        graph.constants = [:]
        values = [:]
        let builder = StepBuilder(consume context, options.lowerings)
        (steps, graph, values) = (builder.steps, builder.context.graph, builder.context.values)
        (outputNames, layouts) = (builder.outputNames, builder.context.layouts)
        // What no step reads any more was packed; its shape stays known.
        var memory: [String: FloatMemory] = [:]
        var kept = Set(graph.outputs.map(\.name))
        for step in steps {
            let isReference = step.operation is ReferenceOperation
            for name in step.inputs {
                kept.insert(name)
                if !isReference, let tensor = graph.fixedConstant(name), tensor.elementType == .float32,
                    memory[name] == nil
                {
                    memory[name] = FloatMemory(tensor)
                }
            }
        }
        for (name, tensor) in graph.constants
        where !kept.contains(name) && !graph.overridableInputs.contains(name)
            && tensor.shape.count > ValueInfo.maximumFollowedElements
        {
            graph.constants[name] = nil
            values[name]?.constant = nil
        }
        // What steps read while they run lies in no file that somebody may write.
        for (name, tensor) in graph.constants { graph.constants[name] = tensor.detached }
        for (name, info) in values {
            if let constant = info.constant {
                values[name]?.constant = graph.constants[name] ?? constant.detached
            }
        }
        self.graph = graph
        self.values = values
        constantMemory = memory
        schedules = ScheduleCache()
        inputNames = graph.inputs.map(\.name) + graph.overridableInputs.sorted()
    }

    /// How many input shapes have a schedule.
    package var cachedScheduleCount: Int { schedules.count }
}
