/// One operation of a graph: it reads values by name and defines values by name.
package struct Node: Sendable {
    /// Unlike its position, a node's identifier stays the same while the graph is edited.
    package struct Identifier: Hashable, Sendable {
        package let number: Int
        package init(number: Int) { self.number = number }
    }

    package var identifier: Identifier
    /// Unique in its graph and never empty: the model's own, or made from the first output's name.
    package var name: String
    package let domain: String
    /// The operator's name as the model file spells it.
    package let type: String
    package let attributes: [String: Attribute]
    package let operation: any Operator
    /// The version of ONNX's default operator set that the attributes are written in: the graph's, unless the node comes
    /// from a function of another version.
    package let opset: Int
    /// `nil`: an absent optional input. The values that the node's subgraphs capture follow the operator's own inputs.
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
        self.opset = opset
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

    /// The graphs that the node runs, in the order of their attributes' names.
    package var subgraphs: [Subgraph] {
        attributes.sorted { $0.key < $1.key }.compactMap { attribute in
            if case .graph(let subgraph) = attribute.value { subgraph } else { nil }
        }
    }

    /// The inputs without the captures of subgraphs.
    package var ownInputs: ArraySlice<String?> {
        inputs.dropLast(subgraphs.first?.captures.count ?? 0)
    }

    /// The value at position `index` among the inputs, when it is there.
    package func input(_ index: Int) -> String? { index < inputs.count ? inputs[index] : nil }
}
