import Graph
import Kernels
import Tensors

/// A plan for concrete input shapes and a number of threads: where every value lies, and the tasks of every step.
final class Schedule: Sendable {
    struct ScheduledStep: Sendable {
        let operation: ScheduledOperation.Work
        /// Inputs, then outputs.
        let locations: [Location]
        let inputCount: Int
        let scratchByteOffset: Int
        /// For an evaluation: its inputs and outputs.
        let evaluation: Evaluation?
        /// Its number among the executable's steps.
        let stepIndex: Int
        let work: StepWork
        /// The most threads that it keeps busy.
        let threadLimit: Int
    }

    /// The values of a step that runs a node's own evaluation.
    struct Evaluation: Sendable {
        enum Argument: Sendable {
            case absent
            case constant(Tensor)
            case value(Location, ElementType, Shape)
        }

        let arguments: [Argument]
        /// `nil`: nobody asked for it.
        let results: [(location: Location, elementType: ElementType, shape: Shape)?]
    }

    /// A value that goes into a run.
    struct Input: Sendable {
        let elementType: ElementType
        let shape: Shape
        /// The place of its copy, when it cannot be read where the caller has it.
        let byteOffset: Int
    }

    /// A value that comes out of a run.
    struct Output: Sendable {
        enum Source: Sendable {
            /// Its elements follow from the input shapes, or from nothing at all.
            case known(Tensor)
            /// Copied when the run is done.
            case value(Location)
            /// Computed where the caller wants it; its place in the arena is for callers who give no room behind it.
            case direct(byteOffset: Int)
        }

        let elementType: ElementType
        let shape: Shape
        let source: Source
    }

    let threadCount: Int
    /// In the order of `Executable.inputNames`.
    let inputs: [Input]
    /// In the graph's order.
    let outputs: [Output]
    let steps: [ScheduledStep]
    /// Of the steps.
    let itemwiseRuns: [ItemwiseRun]
    /// The bytes of all values.
    let valueByteCount: Int
    /// The bytes that each thread has for itself, behind the values.
    let workerScratchByteCount: Int
    let byteCount: Int
    /// What constant locations point to.
    private let retained: [FloatMemory]

    init(
        threadCount: Int, inputs: [Input], outputs: [Output], steps: [ScheduledStep], valueByteCount: Int,
        workerScratchByteCount: Int, byteCount: Int, retained: [FloatMemory]
    ) {
        self.threadCount = threadCount
        self.inputs = inputs
        self.outputs = outputs
        self.steps = steps
        itemwiseRuns = steps.compactMap { step in
            if case .itemwise(let run, _) = step.operation { run } else { nil }
        }
        self.valueByteCount = valueByteCount
        self.workerScratchByteCount = workerScratchByteCount
        self.byteCount = byteCount
        self.retained = retained
    }
}
