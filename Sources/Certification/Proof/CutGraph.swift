import Graph
import Tensors

/// The nodes that make one shared value of others.
struct Piece {
    /// In graph order.
    let nodes: [Node]
    /// The shared values and graph inputs that it reads.
    let leaves: Set<String>
}

/// One of the two graphs, with what is known of its values for the assumed inputs.
struct CutGraph {
    let graph: Graph
    let values: [String: ValueInfo]
    /// The values that nodes define.
    let definedNames: Set<String>
    private let index: GraphIndex
    private let positions: [Node.Identifier: Int]

    init(_ graph: Graph, _ shapes: [String: Shape]) throws(GraphError) {
        self.graph = graph
        values = try graph.inferValues(inputShapes: shapes)
        definedNames = Set(graph.nodes.flatMap(\.outputs).compactMap { $0 })
        index = GraphIndex(graph)
        positions = Dictionary(
            uniqueKeysWithValues: graph.nodes.enumerated().map { ($0.element.identifier, $0.offset) })
    }

    /// The shared values that the outputs need, in graph order.
    func needed(cutting shared: Set<String>) -> [String] {
        var needed = Set(graph.outputs.map(\.name))
        var result: [String] = []
        for node in graph.nodes.reversed() {
            let outputs = node.outputs.compactMap { $0 }.filter(needed.contains)
            guard !outputs.isEmpty else { continue }
            result += outputs.filter(shared.contains).reversed()
            needed.formUnion(node.inputs.compactMap { $0 })
        }
        return result.reversed()
    }

    /// Whether both graphs define the value by the same node: operator, attributes, the names that it reads, and the
    /// constants' bits.
    func isIdentical(to other: CutGraph, at name: String) -> Bool {
        guard let one = index.producer(of: name), let two = other.index.producer(of: name),
            one.type == two.type, one.domain == two.domain, one.inputs == two.inputs,
            one.outputs.firstIndex(of: name) == two.outputs.firstIndex(of: name),
            one.hasSameAttributes(as: two)
        else { return false }
        return one.inputs.allSatisfy { input in
            guard let input else { return true }
            switch (graph.fixedConstant(input), other.graph.fixedConstant(input)) {
            case (let left?, let right?): return left.hasSameBytes(as: right)
            case (nil, nil):
                return isLeaf(input) && other.isLeaf(input)
                    || definedNames.contains(input) && other.definedNames.contains(input)
            default: return false
            }
        }
    }

    private func isLeaf(_ name: String) -> Bool {
        index.producer(of: name) == nil && graph.fixedConstant(name) == nil
    }

    /// The nodes between `name` and the shared values before it.
    func piece(of name: String, cutting shared: Set<String>) throws(Obstacle) -> Piece {
        var pending = [name]
        var nodes: [Node.Identifier: Node] = [:]
        var leaves: Set<String> = []
        while let value = pending.popLast() {
            if value != name, shared.contains(value) || isLeaf(value) {
                leaves.insert(value)
            } else if let node = index.producer(of: value),
                nodes.updateValue(node, forKey: node.identifier) == nil
            {
                guard nodes.count <= Certifier.maximumPieceNodeCount else {
                    throw Obstacle(
                        "more than \(Certifier.maximumPieceNodeCount) nodes lie between two shared values")
                }
                pending += node.inputs.compactMap { $0 }
            }
        }
        let ordered = nodes.values.sorted {
            positions[$0.identifier, default: 0] < positions[$1.identifier, default: 0]
        }
        return Piece(nodes: ordered, leaves: leaves)
    }

    /// What `piece` makes of its leaves.
    func form(of name: String, _ piece: Piece) throws(Obstacle) -> Form {
        var forms: [String: Form] = [:]
        for leaf in piece.leaves {
            forms[leaf] = Form(
                try Core(.leaf(leaf), extents: values[leaf]?.shape, type: values[leaf]?.elementType))
        }
        let read = Set(piece.nodes.flatMap(\.inputs).compactMap { $0 }).union([name])
        for node in piece.nodes {
            var operands: [FormSite.Operand] = []
            for input in node.inputs {
                if let input, let form = forms[input] {
                    operands.append(.form(form))
                } else if let input, let tensor = graph.fixedConstant(input) {
                    operands.append(.constant(tensor, name: input))
                } else if input == nil {
                    operands.append(.absent)
                } else {
                    throw Obstacle("the value '\(input ?? "")' is not known", node: node.name)
                }
            }
            for (position, output) in node.outputs.enumerated() {
                guard let output, read.contains(output) else { continue }
                let site = FormSite(
                    node: node, output: position, operands: operands,
                    info: values[output] ?? ValueInfo(nil, nil))
                forms[output] = try FormBuilder().form(site)
            }
        }
        guard let form = forms[name] else { throw Obstacle("the value is not defined") }
        return form
    }
}
