import Graph
import Kernels
import Tensors

/// Turns nodes of one operator family into fast steps.
///
/// A lowering is one file in Lowerings/ and one line in `LoweringCatalog`.
package protocol Lowering: Sendable {
    /// `nil`: not my operator, or a case that only its evaluation computes.
    func lower(_ node: Node, _ context: LoweringContext) -> LoweredNode?
}

/// A lowered node: its operation, and the values that it reads while it runs.
package struct LoweredNode: Sendable {
    package let operation: any LoweredOperation
    package let inputs: [String]
    /// How each input must lie, and how the outputs do.
    package let inputLayouts: [ValueLayout]
    package let outputLayout: ValueLayout

    /// `layout`: of all inputs and outputs.
    package init(operation: any LoweredOperation, inputs: [String], layout: ValueLayout = .plain) {
        self.init(
            operation: operation, inputs: inputs, inputLayouts: inputs.map { _ in layout },
            outputLayout: layout)
    }

    package init(
        operation: any LoweredOperation, inputs: [String], inputLayouts: [ValueLayout],
        outputLayout: ValueLayout
    ) {
        precondition(
            inputs.count == inputLayouts.count, "\(inputLayouts.count) layouts of \(inputs.count) inputs")
        self.operation = operation
        self.inputs = inputs
        self.inputLayouts = inputLayouts
        self.outputLayout = outputLayout
    }
}

/// What lowerings know of the graph.
package struct LoweringContext: Sendable {
    /// Without the weights that were packed.
    package internal(set) var graph: Graph
    package internal(set) var values: [String: ValueInfo]
    package let kernels: KernelTable
    /// Whether 3×3 convolutions may be computed by Winograd's algorithm.
    package var usesWinograd = true
    /// What packs the weights of a layer.
    package var packing = PanelPacking.callerOnly
    /// The values that do not lie plain.
    package internal(set) var layouts: [String: ValueLayout] = [:]

    /// How the step that defines a value leaves it.
    package func layout(_ name: String?) -> ValueLayout { name.flatMap { layouts[$0] } ?? .plain }

    /// Forgets a constant's elements.
    mutating func release(_ name: String) {
        graph.constants.removeValue(forKey: name)?.releasePages()
        values[name]?.constant = nil
    }

    package func info(_ name: String?) -> ValueInfo? { name.flatMap { values[$0] } }

    /// Whether the value is known to have 32-bit float elements and a known rank.
    package func isFloat(_ name: String?) -> Bool {
        guard let info = info(name) else { return false }
        return info.elementType == .float32 && info.dimensions != nil
    }

    /// The elements of a constant that no caller can replace.
    package func constantFloats(_ name: String?) -> [Float]? { graph.constantFloats(name) }

    package func constantScalar(_ name: String?) -> Float? {
        guard let floats = constantFloats(name), floats.count == 1 else { return nil }
        return floats[0]
    }

    /// Whether both values have the same shape in every run.
    package func haveSameShape(_ first: String?, _ second: String?) -> Bool {
        guard let one = info(first)?.dimensions, let other = info(second)?.dimensions else { return false }
        return one == other && !one.contains(.unknown)
    }
}

extension Graph {
    /// The elements of a constant of 32-bit floats that no caller can replace.
    func constantFloats(_ name: String?) -> [Float]? {
        guard let tensor = fixedConstant(name), tensor.elementType == .float32 else { return nil }
        return try? tensor.elements(as: Float.self)
    }
}

/// The lowerings, in the order in which they are asked.
package struct LoweringCatalog: Sendable {
    private let lowerings: [any Lowering]

    package init(_ lowerings: [any Lowering]) { self.lowerings = lowerings }

    /// The step of a node: the first lowering that takes it, else its evaluation.
    func lower(_ node: Node, _ context: LoweringContext) -> LoweredNode {
        for lowering in lowerings {
            if node.outputs.allSatisfy({ $0 != nil }), let lowered = lowering.lower(node, context) {
                return lowered
            }
        }
        return LoweredNode(operation: ReferenceOperation(node: node), inputs: node.inputs.compactMap { $0 })
    }
}

/// A node's own evaluation as a step: every operator works before it is fast.
struct ReferenceOperation: LoweredOperation {
    let node: Node

    var kernelName: String { "reference evaluation" }

    func schedule(_ shapes: StepShapes, threadCount: Int) -> ScheduledOperation {
        ScheduledOperation(.evaluation(node))
    }
}
