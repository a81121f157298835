import Graph
import Tensors

/// What a rule may look at, and the preconditions that many rules share.
package struct FoldContext: Sendable {
    package let graph: Graph
    package let index: GraphIndex
    /// What is known of every value, by name.
    package internal(set) var values: [String: ValueInfo]
    /// The names that a new value must not take: those of the graph as it is and as it was read, and those that edits
    /// of the same sweep have taken.
    package internal(set) var takenNames: Set<String>
    /// The same for nodes.
    package internal(set) var takenNodeNames: Set<String>

    package init(
        graph: Graph, values: [String: ValueInfo], takenNames: Set<String>, takenNodeNames: Set<String>
    ) {
        self.graph = graph
        index = GraphIndex(graph)
        self.values = values
        self.takenNames = takenNames
        self.takenNodeNames = takenNodeNames
    }

    /// `stem`, or `stem` with the first number that makes a name nobody has.
    ///
    /// A value that changes gets a name that no value of the model as it was read has, so that equal names always
    /// stand for equal functions.
    package func unusedValueName(_ stem: String, besides names: Set<String> = []) -> String {
        Self.unused(stem, among: takenNames, names)
    }

    package func unusedNodeName(_ stem: String, besides names: Set<String> = []) -> String {
        Self.unused(stem, among: takenNodeNames, names)
    }

    private static func unused(_ stem: String, among names: Set<String>, _ others: Set<String>) -> String {
        func isTaken(_ name: String) -> Bool { names.contains(name) || others.contains(name) }
        guard isTaken(stem) else { return stem }
        var number = 1
        while isTaken("\(stem)_\(number)") { number += 1 }
        return "\(stem)_\(number)"
    }

    /// The constant that a fold may replace by another.
    ///
    /// `role` is what the reason calls it: `weight`. Throws for a value that a caller gives, may give, or that a node
    /// computes, and for one that is not of a floating type.
    package func foldableConstant(_ name: String?, role: String) throws(FoldRefusal) -> Tensor {
        guard let name else { throw FoldRefusal("the \(role) is absent") }
        guard !graph.overridableInputs.contains(name) else {
            throw FoldRefusal("a caller may override the \(role)", blockedBy: name)
        }
        guard let tensor = graph.constants[name] else {
            if let node = index.producer(of: name) {
                throw FoldRefusal("the \(role) is not constant, a node computes it", blockedBy: node.name)
            }
            throw FoldRefusal("the \(role) is an input of the graph", blockedBy: name)
        }
        guard tensor.elementType.isFloatingPoint else {
            throw FoldRefusal("the \(role) has element type \(tensor.elementType)", blockedBy: name)
        }
        return tensor
    }

    /// Throws unless `consumer` is all that depends on `value`.
    package func requireSoleUse(of value: String, by consumer: Node) throws(FoldRefusal) {
        guard !index.isGraphOutput(value) else {
            throw FoldRefusal("the value before it is also a graph output", blockedBy: value)
        }
        if let other = index.consumer(of: value, besides: consumer) {
            throw FoldRefusal("the value before it has another consumer", blockedBy: other.name)
        }
    }

    /// Whether a node other than `node`, or the graph's interface, reads the constant `name`.
    package func isShared(_ name: String, besides node: Node) -> Bool {
        index.isGraphOutput(name) || index.consumer(of: name, besides: node) != nil
    }
}
