import Graph
import Tensors

/// What becomes of everything behind an affine when the affine goes: one edit, or the reason why not.
///
/// Every consumer of the affine's value must take it, and where one lets it through, every consumer behind that. The way
/// is walked first, and parameters are computed once nothing stands in it.
struct ForwardPlan {
    /// The most nodes that one affine may reach.
    static let maximumNodeCount = 256

    let context: FoldContext
    /// Whether nodes may be added: not where nothing would be gained.
    let mayAddNodes: Bool
    private(set) var edit = GraphEdit()
    /// The nodes that take the affine, as they were.
    private(set) var absorbers: [Node] = []
    private(set) var clonedByteCount = 0
    /// The values that are another function now, by the names that are gone.
    var replacedValues: Set<String> { Set(flows.keys) }
    private var flows: [String: ForwardFlow]
    private let start: String
    private var indicators: [String: String] = [:]
    private var names: Set<String> = []
    private var nodeNames: Set<String> = []

    /// `value` is to become `affine` of `replacement`.
    init(
        from value: String, to replacement: String, affine: Affine, mayAddNodes: Bool, in context: FoldContext
    ) throws(FoldRefusal) {
        start = value
        self.context = context
        self.mayAddNodes = mayAddNodes
        flows = [value: ForwardFlow(value: value, replacement: replacement, affine: affine)]
        names.insert(replacement)
        try walk()
    }

    /// What the affine goes through in the graph's order, so that a node with several inputs is met once all are known.
    private mutating func walk() throws(FoldRefusal) {
        var pending: [Int: Node] = [:]
        var taking: [(site: ForwardSite, step: any ForwardAbsorber)] = []
        try follow(start, &pending)
        var visitedCount = 0
        while let position = pending.keys.min(), let node = pending.removeValue(forKey: position) {
            visitedCount += 1
            guard visitedCount <= Self.maximumNodeCount else {
                throw FoldRefusal("more than \(Self.maximumNodeCount) nodes depend on it")
            }
            let site = ForwardSite(node: node, flows: flows(into: node), context: context)
            if let step = ForwardSteps.absorbers.first(where: { $0.matches(node) }) {
                taking.append((site, step))
            } else if let step = ForwardSteps.passages.first(where: { $0.matches(node) }) {
                let passing = try attributed(to: node) { plan throws(FoldRefusal) in
                    try step.pass(site, &plan)
                }
                try pass(passing, at: node, &pending)
            } else {
                throw FoldRefusal("\(node.type) '\(node.name)' cannot take it", blockedBy: node.name)
            }
        }
        for (site, step) in taking {
            absorbers.append(site.node)
            try attributed(to: site.node) { plan throws(FoldRefusal) in try step.absorb(site, into: &plan) }
        }
    }

    private func flows(into node: Node) -> [Int: ForwardFlow] {
        var result: [Int: ForwardFlow] = [:]
        for (position, name) in node.inputs.enumerated() {
            if let name, let flow = flows[name] { result[position] = flow }
        }
        return result
    }

    private mutating func pass(
        _ passing: ForwardPassing, at node: Node, _ pending: inout [Int: Node]
    ) throws(FoldRefusal) {
        var replacement = passing.node
        for (position, affine) in passing.outputs.enumerated() {
            guard let affine, position < node.outputs.count, let output = node.outputs[position] else {
                continue
            }
            let name = unusedValueName(output + "_before_affine")
            replacement.outputs[position] = name
            flows[output] = ForwardFlow(value: output, replacement: name, affine: affine)
            try follow(output, &pending)
        }
        edit.replacements[node.identifier] = replacement
    }

    private func follow(_ value: String, _ pending: inout [Int: Node]) throws(FoldRefusal) {
        guard !context.index.isGraphOutput(value) else {
            throw FoldRefusal("its value '\(value)' is a graph output", blockedBy: value)
        }
        for consumer in context.index.consumers(of: value) {
            if let position = context.index.position(of: consumer.identifier) { pending[position] = consumer }
        }
    }

    /// A step's refusal names the node that it is about.
    private mutating func attributed<Result>(
        to node: Node, _ body: (inout ForwardPlan) throws(FoldRefusal) -> Result
    ) throws(FoldRefusal) -> Result {
        do {
            return try body(&self)
        } catch {
            throw FoldRefusal("\(node.type) '\(node.name)': \(error.reason)", blockedBy: node.name)
        }
    }
}

/// What steps write.
extension ForwardPlan {
    mutating func unusedValueName(_ stem: String) -> String {
        let name = context.unusedValueName(stem, besides: names)
        names.insert(name)
        return name
    }

    mutating func unusedNodeName(_ stem: String) -> String {
        let name = context.unusedNodeName(stem, besides: nodeNames)
        nodeNames.insert(name)
        return name
    }

    /// The name of a new constant.
    mutating func constant(_ stem: String, _ tensor: Tensor) -> String {
        let name = unusedValueName(stem)
        edit.insertedConstants[name] = tensor
        return name
    }

    mutating func replace(_ node: Node, with replacement: Node) {
        edit.replacements[node.identifier] = replacement
    }

    /// Throws when nothing would be gained by one more node.
    mutating func insert(_ node: Node) throws(FoldRefusal) {
        guard mayAddNodes else { throw FoldRefusal("it would need \(node.type) before or behind it") }
        edit.insertedNodes.append(node)
    }

    /// Counts a new weight that leaves the old one to others.
    mutating func count(_ weight: Tensor, insteadOf name: String?, of node: Node) {
        if let name, context.isShared(name, besides: node) { clonedByteCount += weight.byteCount }
    }

    /// The value of a flow before the affine, with one channel more that is 1 everywhere; one Pad makes it for all.
    mutating func indicator(
        of flow: ForwardFlow, rank: Int, type: ElementType, for node: Node
    ) throws(FoldRefusal) -> String {
        if let made = indicators[flow.replacement] { return made }
        var pads = [Int](repeating: 0, count: 2 * rank)
        pads[rank + 1] = 1
        let name = try pad(flow, pads, value: 1, type: type, for: node)
        indicators[flow.replacement] = name
        return name
    }

    /// The value of a flow before the affine, padded with a constant.
    mutating func pad(
        _ flow: ForwardFlow, _ pads: [Int], value: Double, type: ElementType, for node: Node
    ) throws(FoldRefusal) -> String {
        let output = unusedValueName(flow.replacement + "_padded")
        var inputs: [String?] = [flow.replacement]
        var attributes: [String: Attribute] = ["mode": .string("constant")]
        if context.graph.opset < 11 {
            attributes["pads"] = .integers(pads.map(Int64.init))
            attributes["value"] = .real(Float(value))
        } else {
            let constant = ExactTensor(reals: [value], shape: .scalar, elementType: type).tensor
            inputs.append(self.constant(node.name + "_pads", Tensor(pads.map(Int64.init))))
            inputs.append(self.constant(node.name + "_pad_value", constant))
        }
        try insert(
            try Node.made(
                name: unusedNodeName(node.name + "_pad"), type: "Pad", attributes: attributes,
                opset: context.graph.opset, inputs: inputs, outputs: [output]))
        return output
    }
}
