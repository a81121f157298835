import Graph
import Tensors

/// What a step runs: everything that follows from the model and the instruction set alone, weights packed.
///
/// The order in which an output is summed, and so its bits, may depend on the geometry of one item, never on how many
/// items ride in a batch or on the number of threads.
package protocol LoweredOperation: Sendable {
    /// The name that `inspect` shows.
    var kernelName: String { get }

    /// Offsets and tasks for concrete shapes.
    func schedule(_ shapes: StepShapes, threadCount: Int) throws(ExecutionError) -> ScheduledOperation

    /// Whether an item of the outputs depends on the same item of the inputs alone, axis 0 being the items, constants aside.
    var isItemwise: Bool { get }

    /// The bytes of packed weights.
    var weightByteCount: Int { get }

    /// This operation with `consumer` computed in the same pass, when it can: `consumer` reads this operation's only
    /// output as its input number `operand`, and nothing else does.
    func absorbing(_ consumer: Node, operand: Int, _ context: LoweringContext) -> AbsorbedOperation?
}

extension LoweredOperation {
    package var isItemwise: Bool { false }
    package var weightByteCount: Int { 0 }

    package func absorbing(_ consumer: Node, operand: Int, _ context: LoweringContext) -> AbsorbedOperation? {
        nil
    }
}

/// An operation that has taken another node in, and the values that it reads in addition.
package struct AbsorbedOperation: Sendable {
    package let operation: any LoweredOperation
    package var addedInputs: [String] = []
}

/// The shapes of a step's inputs and outputs in one run.
package struct StepShapes: Sendable {
    package let inputs: [Shape]
    package let outputs: [Shape]
    /// The elements of integer inputs, where they follow from the shapes of the run.
    package let inputElements: [[Int]?]
}

/// A step for concrete shapes.
package struct ScheduledOperation: Sendable {
    enum Work: Sendable {
        /// The outputs are the input of this number, seen in another shape.
        case view(input: Int)
        /// Phases run one after the other, the tasks of a phase in any order and at once.
        case phases([Phase])
        /// Several steps that so many items go through, each on one thread.
        case itemwise(ItemwiseRun, itemCount: Int)
        /// The node's own evaluation.
        case evaluation(Node)
    }

    package struct Phase: Sendable {
        package let taskCount: Int
        package let body: @Sendable (_ memory: TaskMemory, _ task: Int) -> Void

        package init(taskCount: Int, body: @escaping @Sendable (_ memory: TaskMemory, _ task: Int) -> Void) {
            self.taskCount = taskCount
            self.body = body
        }
    }

    var work: Work
    /// Inputs whose memory the first output may take over: each task reads an element before it writes it, and no
    /// other task reads it.
    package var reusableInputs: [Int] = []
    /// Floats that all tasks share.
    package var scratchCount = 0
    /// Floats that each thread has for itself.
    package var workerScratchCount = 0

    package init(_ phases: [Phase]) { work = .phases(phases) }
    init(_ work: Work) { self.work = work }
}
