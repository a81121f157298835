/// One operation of a graph: it reads values by name and defines values by name.
package struct Node: Sendable {
    /// Unlike its position, a node's identifier stays the same while the graph is edited.
    package struct Identifier: Hashable, Sendable {
        package let number: Int
        package init(number: Int) { self.number = number }
    }

    package var identifier: Identifier
    /// Unique in its graph and never empty: the model's own, or made from the first output's name.
    package let name: String
    package let domain: String
    /// The operator's name as the model file spells it.
    package let type: String
    package let attributes: [String: Attribute]
    package let operation: any Operator
    /// `nil`: an absent optional input.
    package var inputs: [String?]
    /// `nil`: an output that nobody asked for.
    package var outputs: [String?]
    /// The nodes of the model file that this one stands for, when it was recognised rather than read: a writer may
    /// emit them in its place as long as its parameters are unchanged.
    package var sources: [Node]

    /// Throws for an unknown operator, bad attributes and wrong input or output counts.
    package init(
        identifier: Identifier = Identifier(number: 0), name: String, domain: String = "", type: String,
        attributes: [String: Attribute] = [:], opset: Int, inputs: [String?], outputs: [String?],
        sources: [Node] = []
    ) throws(GraphError) {
        operation = try OperatorCatalog.standard.makeOperator(
            domain: domain, type: type, opset: opset, attributes: attributes)
        self.identifier = identifier
        self.name = name
        self.domain = domain
        self.type = type
        self.attributes = attributes
        self.inputs = inputs
        self.outputs = outputs
        self.sources = sources
        guard operation.inputCount.contains(inputs.count) else {
            throw .inputCount(type, expected: operation.inputCount, actual: inputs.count)
        }
        guard operation.outputCount.contains(outputs.count) else {
            throw .input(
                type, reason: "has \(operation.outputCount) outputs, the node names \(outputs.count)")
        }
    }

    /// The value at position `index` among the inputs, when it is there.
    package func input(_ index: Int) -> String? { index < inputs.count ? inputs[index] : nil }
}
