import Graph
import Tensors

/// The nodes that make one shared value of others.
struct Piece {
    /// The value that it makes, before it is copied.
    let root: String
    /// In graph order.
    let nodes: [Node]
    /// The shared values and graph inputs that it reads: what they are called in this graph, and in both.
    let leaves: [String: String]
}

/// One of the two graphs, with what is known of its values for the assumed inputs.
struct CutGraph {
    let graph: Graph
    let values: [String: ValueInfo]
    /// The values that nodes define and that are not constant.
    let definedNames: Set<String>
    /// The value that each is a copy of, where it is one.
    private let originals: [String: String]
    private let index: GraphIndex

    init(_ index: GraphIndex, _ shapes: [String: Shape]) throws(GraphError) {
        let graph = index.graph
        self.index = index
        self.graph = graph
        let values = try graph.inferValues(inputShapes: shapes)
        self.values = values
        let originals = Self.originals(in: graph, values)
        self.originals = originals
        definedNames = Set(graph.nodes.flatMap(\.outputs).compactMap { $0 }).filter { name in
            graph.fixedConstant(originals[name] ?? name) == nil
        }
    }

    /// Identity, Dropout in inference, and Cast to the type that a value has give what they read.
    private static func originals(in graph: Graph, _ values: [String: ValueInfo]) -> [String: String] {
        var originals: [String: String] = [:]
        for node in graph.nodes {
            guard let input = node.input(0), let output = node.outputs.first ?? nil else { continue }
            switch node.operation {
            case is Identity: break
            case is Dropout:
                guard
                    node.input(2).map({ graph.fixedConstant(originals[$0] ?? $0)?.isZero ?? false }) ?? true
                else {
                    continue
                }
            case is Cast:
                guard let type = values[output]?.elementType, values[input]?.elementType == type else {
                    continue
                }
            default: continue
            }
            originals[output] = originals[input] ?? input
        }
        return originals
    }

    private func original(_ name: String) -> String { originals[name] ?? name }

    private func constant(_ name: String) -> Tensor? { graph.fixedConstant(original(name)) }

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
            switch (constant(input), other.constant(input)) {
            case (let left?, let right?): return left.hasSameBytes(as: right)
            case (nil, nil):
                return isLeaf(input) && other.isLeaf(input)
                    || definedNames.contains(input) && other.definedNames.contains(input)
            default: return false
            }
        }
    }

    /// The outputs that are constant in one graph and not the same constant in the other.
    func outputFailures(besides other: CutGraph) -> [PieceFailure] {
        graph.outputs.map(\.name).compactMap { name in
            if definedNames.contains(name), other.definedNames.contains(name) { return nil }
            if isLeaf(name), other.isLeaf(name) { return nil }
            if let one = constant(name), let two = other.constant(name), one.hasSameBytes(as: two) {
                return nil
            }
            return PieceFailure(
                value: name, reason: "the output is constant in one graph, or another constant")
        }
    }

    /// Throws an `Obstacle` unless both graphs give the value the same element type and extents.
    func requireSameType(as other: CutGraph, at name: String) throws(Obstacle) {
        guard let one = values[name], let two = other.values[name], one.elementType == two.elementType,
            one.shape == two.shape
        else {
            throw Obstacle(
                "the value is \(values[name]?.description ?? "?"), then \(other.values[name]?.description ?? "?")"
            )
        }
    }

    private func isLeaf(_ name: String) -> Bool {
        index.producer(of: name) == nil && graph.fixedConstant(name) == nil
    }

    /// What the shared values are called in both graphs, by what they are copies of here: a copy of a shared value is that
    /// value.
    func sharedNames(_ shared: Set<String>) -> [String: String] {
        Dictionary(shared.map { (original($0), $0) }, uniquingKeysWith: min)
    }

    /// The nodes between `name` and the shared values before it.
    func piece(of name: String, cutting sharedNames: [String: String]) throws(Obstacle) -> Piece {
        let root = original(name)
        var pending = [root]
        var nodes: [Node.Identifier: Node] = [:]
        var leaves: [String: String] = [:]
        while let value = pending.popLast() {
            if value != root, let shared = sharedNames[value] {
                leaves[value] = shared
            } else if isLeaf(value) {
                leaves[value] = value
            } else if let node = index.producer(of: value),
                nodes.updateValue(node, forKey: node.identifier) == nil
            {
                guard nodes.count <= Certifier.maximumPieceNodeCount else {
                    throw Obstacle(
                        "more than \(Certifier.maximumPieceNodeCount) nodes lie between two shared values")
                }
                pending += node.inputs.compactMap { $0.map(original) }
            }
        }
        let ordered = nodes.values.sorted {
            index.position(of: $0.identifier) ?? 0 < index.position(of: $1.identifier) ?? 0
        }
        return Piece(root: root, nodes: ordered, leaves: leaves)
    }

    /// What `piece` makes of its leaves.
    func form(of piece: Piece, droppingConstantChannels drops: Bool = false) throws(Obstacle) -> Form {
        let budget = drops ? SelectionBudget() : nil
        var forms: [String: Form] = [:]
        for (value, leaf) in piece.leaves {
            forms[value] = Form(
                try Core(.leaf(leaf), extents: values[value]?.shape, type: values[value]?.elementType))
        }
        let read = Set(piece.nodes.flatMap(\.inputs).compactMap { $0.map(original) }).union([piece.root])
        for node in piece.nodes {
            var operands: [FormSite.Operand] = []
            for input in node.inputs {
                guard let input else {
                    operands.append(.absent)
                    continue
                }
                if let form = forms[original(input)] {
                    operands.append(.form(form))
                } else if let tensor = constant(input) {
                    operands.append(.constant(tensor, name: original(input)))
                } else {
                    throw Obstacle("the value '\(input)' is not known", node: node.name)
                }
            }
            for (position, output) in node.outputs.enumerated() {
                guard let output, read.contains(output) else { continue }
                var site = FormSite(
                    node: node, output: position, operands: operands,
                    info: values[output] ?? ValueInfo(nil, nil))
                site.selectionBudget = budget
                forms[output] = try FormBuilder().form(site)
            }
        }
        guard let form = forms[piece.root] else { throw Obstacle("the value is not defined") }
        return form
    }
}

extension Tensor {
    /// Whether all bits are 0.
    var isZero: Bool { withUnsafeBytes { $0.allSatisfy { $0 == 0 } } }
}
