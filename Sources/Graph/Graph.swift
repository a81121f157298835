import Tensors

/// A network: values with names, constants, and nodes in an order in which they can run.
package struct Graph: Sendable {
    /// A graph input or output as the model declares it.
    package struct Port: Sendable {
        package let name: String
        package var info: ValueInfo

        package init(name: String, info: ValueInfo) {
            self.name = name
            self.info = info
        }
    }

    package var name: String
    /// The version of ONNX's default operator set that the nodes are written in.
    package var opset: Int
    /// Inputs that a caller must give.
    package var inputs: [Port]
    package var outputs: [Port]
    /// Weights and other constants; also the default values of `overridableInputs`.
    package var constants: [String: Tensor]
    /// Constants that a caller may replace (initializers that are listed among the inputs of a file of IR version 4 or
    /// later): no rewrite may assume their value.
    package var overridableInputs: Set<String>
    package internal(set) var nodes: [Node]
    /// One more than the greatest node identifier that was ever given.
    private(set) var nextIdentifier: Int

    /// The most nodes a graph may have, those of subgraphs included: see `weightedNodeCount`.
    package static let maximumNodeCount = 100_000
    /// The most inputs or outputs that one node of a variadic operator may have.
    package static let maximumNodeInputCount = 10_000

    /// Sorts the nodes and numbers them.
    ///
    /// Throws `GraphError` when a value is missing or defined twice, when nodes form a cycle or are too many.
    package init(
        name: String, opset: Int, inputs: [Port], outputs: [Port], constants: [String: Tensor],
        overridableInputs: Set<String> = [], nodes: [Node]
    ) throws(GraphError) {
        self.name = name
        self.opset = opset
        self.inputs = inputs
        self.outputs = outputs
        self.constants = constants
        self.overridableInputs = overridableInputs
        let nodeCount = Self.weightedNodeCount(nodes)
        guard nodeCount <= Self.maximumNodeCount else {
            throw .limit("nodes of a graph", maximum: Self.maximumNodeCount, actual: nodeCount)
        }
        self.nodes = nodes.enumerated().map { index, node in
            var node = node
            node.identifier = Node.Identifier(number: index)
            return node
        }
        nextIdentifier = nodes.count
        try sortNodes()
    }

    /// The nodes, and for those with subgraphs what goes through one when its values are inferred.
    static func weightedNodeCount(_ nodes: [Node]) -> Int {
        nodes.reduce(0) { sum, node in
            guard let operation = node.operation.controlFlow else { return sum + 1 }
            return operation.subgraphs.reduce(sum + 1) { sum, subgraph in
                let (product, overflow) = subgraph.weight
                    .multipliedReportingOverflow(by: operation.inferencePassCount)
                return overflow ? Int(Int32.max) : min(sum + product, Int(Int32.max))
            }
        }
    }

    /// How often each value is read by nodes.
    package var useCounts: [String: Int] {
        var counts: [String: Int] = [:]
        for node in nodes {
            for case let name? in node.inputs { counts[name, default: 0] += 1 }
        }
        return counts
    }

    /// The constant called `name`, unless a caller could replace it.
    package func fixedConstant(_ name: String?) -> Tensor? {
        guard let name, !overridableInputs.contains(name) else { return nil }
        return constants[name]
    }

    /// Adds nodes with fresh identifiers and sorts all of them again.
    mutating func insert(_ newNodes: [Node]) throws(GraphError) {
        for node in newNodes {
            var node = node
            node.identifier = Node.Identifier(number: nextIdentifier)
            nextIdentifier += 1
            nodes.append(node)
        }
        try sortNodes()
    }

    /// Puts the nodes into an order in which every value is defined before it is read, keeping the present order where
    /// it already is one (Kahn 1962, lowest position first).
    private mutating func sortNodes() throws(GraphError) {
        let given = Set(inputs.map(\.name))
        guard given.count == inputs.count else {
            throw .duplicateValue(name: Self.firstDuplicate(inputs.map(\.name)))
        }
        var definedBy: [String: Int] = [:]
        for (index, node) in nodes.enumerated() {
            for case let name? in node.outputs {
                guard definedBy.updateValue(index, forKey: name) == nil, constants[name] == nil,
                    !given.contains(name)
                else { throw .duplicateValue(name: name) }
            }
        }
        var missing = [Int](repeating: 0, count: nodes.count)
        var readers = [[Int]](repeating: [], count: nodes.count)
        for (index, node) in nodes.enumerated() {
            for case let name? in node.inputs {
                if let producer = definedBy[name] {
                    missing[index] += 1
                    readers[producer].append(index)
                } else if !given.contains(name), constants[name] == nil {
                    throw .missingValue(name: name, node: node.name)
                }
            }
        }
        for output in outputs
        where definedBy[output.name] == nil && !given.contains(output.name) && constants[output.name] == nil {
            throw .undefinedOutput(name: output.name)
        }
        if missing.indices.allSatisfy({ index in readers[index].allSatisfy { $0 > index } }) { return }
        var ready = Heap(missing.indices.filter { missing[$0] == 0 })
        var order: [Node] = []
        order.reserveCapacity(nodes.count)
        while let index = ready.popMinimum() {
            order.append(nodes[index])
            for reader in readers[index] {
                missing[reader] -= 1
                if missing[reader] == 0 { ready.insert(reader) }
            }
        }
        guard order.count == nodes.count else {
            let stuck = missing.indices.first { missing[$0] > 0 }!
            throw .cycle(node: nodes[stuck].name)
        }
        nodes = order
    }

    private static func firstDuplicate(_ names: [String]) -> String {
        var seen: Set<String> = []
        return names.first { !seen.insert($0).inserted } ?? ""
    }
}
