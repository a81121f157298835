import Graph

/// One thing that a run does: a node, or several that one operation computes together.
package struct Step: Sendable {
    /// In graph order; the last one defines the outputs.
    package internal(set) var nodes: [Node]
    package internal(set) var operation: any LoweredOperation
    /// The values that are read while the step runs; packed weights are not among them.
    package internal(set) var inputs: [String]
    /// How the outputs lie; the inputs lie as the steps that define them leave them.
    package internal(set) var layout = ValueLayout.plain
    /// The copies that are read instead of values that lie otherwise.
    var copies: [String: String] = [:]
    /// `nil`: an output that nobody asked for.
    package var outputs: [String?] { nodes[nodes.count - 1].outputs }
}

/// What `inspect` shows of a step.
package struct StepDescription: Sendable {
    /// The nodes' names and operators, in graph order.
    package let nodes: [String]
    package let operators: [String]
    package let kernel: String
    /// How the outputs lie.
    package let layout: ValueLayout
    /// The values that are read, and those that are defined, with what is known of them.
    package let inputs: [(name: String, info: ValueInfo?)]
    package let outputs: [(name: String, info: ValueInfo?)]
    /// The bytes of the inputs, the weights (packed or read as they are) and the outputs as they lie; an open first axis
    /// counts 1. `nil`: another axis is open.
    package let inputByteCount: Int?
    package let weightByteCount: Int
    package let outputByteCount: Int?
}
