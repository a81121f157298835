import Graph
import Tensors

/// Reads chains of nodes as the one operator that they spell, so that one kernel computes them.
///
///     Swish(x)      Mul(x, Sigmoid(x))
///     HardSwish(x)  Mul(x, HardSigmoid(x)) with a slope of 1/6; Div(Mul(x, Clip(Add(x, 3), 0, 6)), 6) and its like
///     Gelu(x)       Mul(Mul(x, Add(Erf(Div(x, √2)), 1)), 1/2) and its like
///     Gather        Reshape(Transpose(Reshape(x))) that shuffles channels, and a Slice of its channels
///     GroupNormalization  Reshape(InstanceNormalization(Reshape(x))), and a Mul and an Add for each channel behind it
///
/// The last node of a chain is replaced; what nobody reads any more is left out.
struct PatternRecognition {
    let index: GraphIndex
    let values: [String: ValueInfo]
    var edit = GraphEdit()
    /// The channels that recognised nodes gather, and of what; by output.
    private var gathered: [String: (source: String, channels: [Int])] = [:]
    /// The recognised group normalizations by output.
    var normalized: [String: RecognizedNormalization] = [:]

    /// How far a constant may be from the one that a formula asks for, relative to it.
    private static let tolerance: Float = 1e-6
    /// The most channels that are shuffled by a list of them.
    private static let maximumChannels = 1 << 16

    private init(_ graph: Graph, _ values: [String: ValueInfo]) {
        index = GraphIndex(graph)
        self.values = values
    }

    /// The graph with what was recognised; `nil`: nothing was.
    static func recognize(_ graph: Graph, _ values: [String: ValueInfo]) throws(GraphError) -> Graph? {
        var recognition = PatternRecognition(graph, values)
        for node in graph.nodes where node.domain.isEmpty && node.outputs.count == 1 {
            guard let replacement = try recognition.replacement(node) else { continue }
            recognition.edit.replacements[node.identifier] = replacement
        }
        guard !recognition.edit.replacements.isEmpty else { return nil }
        return try graph.applying(recognition.edit).removingUnused()
    }

    private mutating func replacement(_ node: Node) throws(GraphError) -> Node? {
        switch node.type {
        case "Mul", "Div":
            guard isFloat(node.outputs[0]) else { return nil }
            if let x = swished(node) { return try activation("Swish", x, node, opset: 24) }
            if let x = hardSwished(node) { return try activation("HardSwish", x, node, opset: 14) }
            if let x = gelued(node) { return try activation("Gelu", x, node, opset: 20) }
            if let gelu = try doubledGelu(node) { return gelu }
            return node.type == "Mul" ? try normalizationTaking(node) : nil
        case "Add": return try normalizationTaking(node)
        case "Reshape":
            if let normalization = try groupNormalization(node) { return normalization }
            return try shuffle(node)
        case "Slice": return try slice(node)
        case "Shape":
            // A shuffle keeps the shape: its input's can be asked for before it is there.
            guard let name = node.input(0), let (source, channels) = gathered[name],
                values[source]?.dimensions?[1] == .known(channels.count)
            else { return nil }
            var result = node
            result.inputs[0] = source
            return result
        default: return nil
        }
    }

    private func activation(
        _ type: String, _ x: String, _ node: Node, opset: Int
    ) throws(GraphError) -> Node? {
        guard values[x]?.dimensions == values[node.outputs[0] ?? ""]?.dimensions else { return nil }
        return try Node(name: node.name, type: type, opset: opset, inputs: [x], outputs: node.outputs)
    }

    // MARK: Parts of a formula

    func isFloat(_ name: String?) -> Bool {
        guard let name, let info = values[name] else { return false }
        return info.elementType == .float32 && info.dimensions != nil
    }

    private func isScalar(_ name: String?, _ expected: Float) -> Bool {
        guard let tensor = index.graph.fixedConstant(name), tensor.elementType == .float32,
            tensor.shape.count == 1, let value = try? tensor.elements(as: Float.self)[0]
        else { return false }
        return abs(value - expected) <= Self.tolerance * abs(expected)
    }

    /// The node of `type` that defines `name`.
    func producer(_ name: String?, _ type: String) -> Node? {
        guard let node = index.producer(of: name), node.type == type, node.domain.isEmpty else { return nil }
        return node
    }

    /// The other operand of a node of `type` that defines `name` and has the constant `scalar`.
    private func operand(_ name: String?, _ type: String, _ scalar: Float) -> String? {
        guard let node = producer(name, type), node.inputs.count == 2 else { return nil }
        if isScalar(node.inputs[1], scalar) { return node.inputs[0] }
        return type != "Div" && isScalar(node.inputs[0], scalar) ? node.inputs[1] : nil
    }

    /// `name` divided by `divisor`, or multiplied with its reciprocal.
    private func quotient(_ name: String?, by divisor: Float) -> String? {
        operand(name, "Div", divisor) ?? operand(name, "Mul", 1 / divisor)
    }

    /// The operands of a product in both orders.
    private func factors(_ name: String?) -> [(String, String)] {
        guard let node = producer(name, "Mul"), node.inputs.count == 2, let a = node.inputs[0],
            let b = node.inputs[1]
        else { return [] }
        return [(a, b), (b, a)]
    }

    // MARK: Activations

    private func swished(_ node: Node) -> String? {
        factors(node.outputs[0]).first { producer($1, "Sigmoid")?.input(0) == $0 }?.0
    }

    private func hardSwished(_ node: Node) -> String? {
        func isHardSigmoid(_ name: String, of x: String) -> Bool {
            guard let gate = producer(name, "HardSigmoid"), gate.input(0) == x,
                case .real(let slope) = gate.attributes["alpha"]
            else { return false }
            if case .real(let shift) = gate.attributes["beta"], shift != 0.5 { return false }
            return abs(slope - 1 / 6) <= Self.tolerance
        }
        /// min(max(x + 3, 0), 6)
        func isGate(_ name: String?, of x: String) -> Bool {
            guard let clip = producer(name, "Clip"), clip.inputs.count == 3, isScalar(clip.inputs[1], 0),
                isScalar(clip.inputs[2], 6)
            else { return false }
            return operand(clip.inputs[0], "Add", 3) == x
        }
        let output = node.outputs[0]
        if let (x, _) = factors(output).first(where: { isHardSigmoid($1, of: $0) }) { return x }
        if let (x, _) = factors(output).first(where: { isGate(quotient($1, by: 6), of: $0) }) { return x }
        return factors(quotient(output, by: 6)).first { isGate($1, of: $0) }?.0
    }

    private func gelued(_ node: Node) -> String? {
        let output = node.outputs[0]
        // x/2 · gate, x · gate/2, or (x · gate)/2.
        for (a, b) in factors(output) {
            if let x = quotient(a, by: 2), isGate(b, of: x) { return x }
            if isGate(quotient(b, by: 2), of: a) { return a }
        }
        return factors(quotient(output, by: 2)).first { isGate($1, of: $0) }?.0
    }

    /// Whether `name` is 1 + erf(x/√2).
    private func isGate(_ name: String?, of x: String) -> Bool {
        guard let erf = producer(operand(name, "Add", 1), "Erf") else { return false }
        return quotient(erf.input(0), by: Float(2).squareRoot()) == x
    }

    /// x · (1 + erf(x/√2)), whose half went into a weight: the gate becomes Gelu(x), and the product doubles it.
    private mutating func doubledGelu(_ node: Node) throws(GraphError) -> Node? {
        guard let output = node.outputs[0],
            let (x, gate) = factors(output).first(where: { isGate($1, of: $0) }),
            let add = producer(gate, "Add"), index.consumers(of: gate).count == 1, !index.isGraphOutput(gate),
            let gelu = try activation("Gelu", x, add, opset: 20)
        else { return nil }
        edit.replacements[add.identifier] = gelu
        let two = unusedName("twice \(output)")
        edit.insertedConstants[two] = Tensor([Float(2)])
        return try Node(
            name: node.name, type: "Mul", opset: node.opset, inputs: [gate, two], outputs: [output])
    }

    func unusedName(_ stem: String) -> String {
        var name = stem
        while values[name] != nil || edit.insertedConstants[name] != nil { name += "'" }
        return name
    }

    // MARK: Channels

    /// [N, g·k, …] seen as [N, g, k, …], the two axes exchanged, and back.
    private mutating func shuffle(_ node: Node) throws(GraphError) -> Node? {
        guard let transpose = producer(node.input(0), "Transpose"),
            case .integers(let permutation) = transpose.attributes["perm"],
            let split = producer(transpose.input(0), "Reshape"), let source = split.input(0),
            isFloat(source), let whole = values[source]?.dimensions, (3...5).contains(whole.count),
            let parts = values[split.outputs[0] ?? ""]?.dimensions, parts.count == whole.count + 1,
            values[node.outputs[0] ?? ""]?.dimensions == whole, !whole.contains(.unknown),
            permutation == [0, 2, 1] + (3..<Int64(parts.count)), parts[0] == whole[0],
            parts[3...] == whole[2...], let groups = parts[1].value, let size = parts[2].value,
            groups > 0, size > 0, groups <= Self.maximumChannels, size <= Self.maximumChannels / groups,
            whole[1] == .known(groups * size)
        else { return nil }
        return try gather(source, (0..<groups * size).map { $0 % groups * size + $0 / groups }, node)
    }

    /// A Slice of the channels of what was recognised before.
    private mutating func slice(_ node: Node) throws(GraphError) -> Node? {
        func known(_ place: Int) -> [Int]? {
            guard let name = node.input(place) else { return nil }
            return values[name]?.knownElements
        }
        guard let name = node.input(0), let (source, channels) = gathered[name], let start = known(1),
            start.count == 1, let rank = values[name]?.dimensions?.count, let axis = known(3),
            axis == [1] || axis == [1 - rank], node.input(4) == nil || known(4) == [1],
            let count = values[node.outputs[0] ?? ""]?.dimensions?[1].value
        else { return nil }
        let first = min(start[0] < 0 ? max(0, start[0] + channels.count) : start[0], channels.count)
        guard count > 0, count <= channels.count - first else { return nil }
        return try gather(source, Array(channels[first..<first + count]), node)
    }

    private mutating func gather(
        _ source: String, _ channels: [Int], _ node: Node
    ) throws(GraphError) -> Node? {
        guard let output = node.outputs[0] else { return nil }
        let name = unusedName("channels of \(output)")
        edit.insertedConstants[name] = Tensor(channels.map { Int64($0) })
        gathered[output] = (source, channels)
        return try Node(
            name: node.name, type: "Gather", attributes: ["axis": .integer(1)], opset: 13,
            inputs: [source, name], outputs: [output])
    }
}
