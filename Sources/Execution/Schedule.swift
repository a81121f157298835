import Graph
import Kernels
import Tensors

/// A plan for concrete input shapes and a number of threads: where every value lies, and the tasks of every step.
struct Schedule: Sendable {
    struct ScheduledStep: Sendable {
        let work: ScheduledOperation.Work
        /// Inputs, then outputs.
        let locations: [Location]
        let inputCount: Int
        let scratchByteOffset: Int
        /// For an evaluation: its inputs and outputs.
        let evaluation: Evaluation?
        /// Its number among the executable's steps.
        let stepIndex: Int
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

    /// A value that goes into or comes out of a run.
    struct Port: Sendable {
        let name: String
        let elementType: ElementType
        let shape: Shape
        let location: Location
    }

    let inputs: [Port]
    let outputs: [Port]
    /// Outputs whose elements follow from the input shapes.
    let constantOutputs: [String: Tensor]
    let steps: [ScheduledStep]
    /// The bytes of all values.
    let valueByteCount: Int
    /// The bytes that each thread has for itself, behind the values.
    let workerScratchByteCount: Int
    let byteCount: Int
    /// What constant locations point to.
    let retained: [FloatMemory]
}
