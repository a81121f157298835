import Graph
import Tensors

/// What must change so that an affine is part of the nodes before it, collected before anything is changed.
///
/// Beginning with the value that the affine reads, each step says what its node's inputs must become
/// (`value(_:ofInput:at:)`), until all of it is in constants; `BackwardWorklist` says whose turn it is. A refusal anywhere
/// refuses the whole.
///
/// Nodes are replaced where they stand. A value that changes gets a new name; one that does not keeps its own.
package struct BackwardPlan {
    /// The most nodes that one affine may go through.
    static let maximumNodeCount = 256
    /// What reports call it when no weight but an operand of a sum or a product holds the affine.
    static let operandRule = "batchnorm-into-operand"

    package let context: FoldContext
    /// The affine's node.
    private let root: Node
    /// The type that a Cast behind the affine narrows to, when it and a Cast on the way are to be taken out together.
    let narrowType: ElementType?
    private(set) var choices: BackwardChoices
    /// Whether a Cast was taken out.
    private(set) var hasMetCast = false

    private var worklist: BackwardWorklist
    private var visitedCount = 0
    private var edit = GraphEdit()
    private var newNames: Set<String> = []
    /// Constants that are computed when nothing else can be refused.
    private var constants: [Constant] = []

    private struct Constant {
        let name: String
        /// Of the constant that it takes the place of.
        let oldByteCount: Int?
        let make: () throws(FoldRefusal) -> Tensor
    }

    /// The rules and nodes whose constants hold the affine, each once.
    private var rules: [String] = []
    private var producers: [String] = []
    /// The nodes whose constant operands went through the affine: where no weight holds it, they do.
    private var operandHolders: [String] = []
    private var clonedByteCount = 0

    init(
        for root: Node, in context: FoldContext, narrowingTo type: ElementType?, choices: BackwardChoices
    ) {
        self.context = context
        self.root = root
        worklist = BackwardWorklist(context)
        narrowType = type
        self.choices = choices
    }

    /// Puts `affine` before `root`: what `root` reads, `value`, becomes what is called `output`.
    mutating func run(
        _ affine: Affine, on value: String, defining output: String, steps: BackwardSteps
    ) throws(FoldRefusal) {
        let demand = BackwardDemand(affine: affine, name: output, isWide: narrowType != nil)
        try worklist.want(demand, of: value, by: root)
        while let site = try worklist.next() {
            visitedCount += 1
            guard visitedCount <= Self.maximumNodeCount else {
                throw site.refusal("more than \(Self.maximumNodeCount) nodes would change")
            }
            guard let step = steps[site.node] else { throw FoldRefusal.unmatched(site.node) }
            guard !site.demand.isWide || step.rearranges else {
                throw site.refusal("\(site.node.type) would run in a narrower type")
            }
            try step.take(site, in: &self)
        }
    }

    /// The edit that removes `removed` too, and what a report says of it. Computes the constants.
    mutating func proposal(
        removing removed: [Node], scale: [Double], output: String
    ) throws(FoldRefusal) -> FoldProposal {
        edit.removedNodes.formUnion(
            removed.map(\.identifier).filter { edit.replacements[$0] == nil })
        var grownByteCount = 0
        for constant in constants {
            let tensor = try constant.make()
            edit.insertedConstants[constant.name] = tensor
            grownByteCount += constant.oldByteCount.map { max(0, tensor.byteCount - $0) } ?? 0
            guard grownByteCount <= FoldPipeline.maximumClonedByteCount else {
                throw FoldRefusal(
                    "constants would grow by more than \(FoldPipeline.maximumClonedByteCount) bytes",
                    blockedBy: constant.name)
            }
        }
        if rules.isEmpty {
            rules = [Self.operandRule]
            producers = operandHolders
        }
        return FoldProposal(
            edit: edit,
            effect: .absorbed(
                Absorption(
                    rule: rules.joined(separator: ", "), node: producers.joined(separator: ", "),
                    input: soleInput, output: output, clonedByteCount: clonedByteCount,
                    grownByteCount: grownByteCount, scale: scale)))
    }

    /// The value that the changed nodes read, when it is one.
    private var soleInput: String? {
        let nodes = Array(edit.replacements.values) + edit.insertedNodes
        let defined = Set(nodes.flatMap(\.outputs))
        var read = Set(nodes.flatMap(\.inputs).compactMap { $0 })
        read = read.filter { !defined.contains($0) && !newNames.contains($0) }
        read = read.filter { context.graph.fixedConstant($0) == nil }
        return read.count == 1 ? read.first : nil
    }

    /// Whether a sum may stand where there was none: not when the affine is one itself.
    var mayAddSums: Bool {
        guard root.isRecognisedArithmetic, let affine = root.operation as? Affine else { return true }
        return affine.hasScale
    }

    // MARK: What a step asks for

    /// The name that input `index` has once `affine` is part of it: its own when `affine` changes nothing.
    package mutating func value(
        _ affine: Affine, ofInput index: Int = 0, at site: BackwardSite
    ) throws(FoldRefusal) -> String {
        guard let value = site.node.input(index) else { throw site.refusal("input \(index) is absent") }
        if affine.isIdentity, !site.demand.isWide { return value }
        let demand = BackwardDemand(
            affine: affine, name: unusedName(value + "_folded"), isWide: site.demand.isWide)
        return try worklist.want(demand, of: value, by: site.node)
    }

    /// The same for an operand that is broadcast to the output, or a part of it, on whose axes `affine` is.
    ///
    /// A constant operand goes through the affine itself.
    package mutating func operand(
        _ affine: Affine, _ index: Int, at site: BackwardSite
    ) throws(FoldRefusal) -> String {
        guard let name = site.node.input(index), let rank = site.output?.rank,
            let dimensions = site.input(index)?.dimensions
        else { throw site.refusal("the rank of its operands is not known") }
        guard !affine.isIdentity || site.demand.isWide else { return name }
        guard context.graph.constants[name] == nil else {
            guard !site.demand.isWide else { throw site.refusal("a constant would be narrowed") }
            let tensor = try context.foldableConstant(name, role: "bias")
            let constant = ChannelConstant(rank: rank, axis: affine.axis)
            operandHolders.append(site.node.name)
            return self.constant(in: name, of: site.node, role: "bias") { () throws(FoldRefusal) in
                try constant.through(
                    affine, constant: tensor, keepsRank: dimensions.count == rank, type: tensor.elementType)
            }
        }
        let axis = affine.axis - (rank - dimensions.count)
        let isBroadcast = axis < 0 || dimensions[axis].value != affine.scale.count
        let own = try site.placed(affine, onAxis: isBroadcast ? nil : axis, ofInput: index)
        return try value(own, ofInput: index, at: site)
    }

    /// Input 0 becomes what makes the output what is demanded; with `affine`, its axis one of that input.
    package mutating func pass(_ affine: Affine, at site: BackwardSite) throws(FoldRefusal) {
        var inputs = site.node.inputs
        inputs[0] = try value(affine, at: site)
        try replace(site, inputs: inputs)
    }

    /// A decision that may be taken another way when this one leads nowhere.
    package mutating func choose(of count: Int) -> Int { count > 1 ? choices.next(of: count) : 0 }

    /// The constant that `make` gives, in the place of the one called `old`.
    package mutating func constant(
        in old: String?, of node: Node, role: String, make: @escaping () throws(FoldRefusal) -> Tensor
    ) -> String {
        let oldByteCount = old.flatMap { context.graph.constants[$0]?.byteCount }
        if let old, let oldByteCount, context.isShared(old, besides: node) {
            clonedByteCount += oldByteCount
        }
        let name = unusedName("\(node.name)_\(role)")
        constants.append(Constant(name: name, oldByteCount: oldByteCount, make: make))
        return name
    }

    /// The node with other inputs, and outputs called as demanded; the others keep their names, or are not there when
    /// they change too, which nobody may then notice.
    package mutating func replace(
        _ site: BackwardSite, inputs: [String?], attributes: [String: Attribute]? = nil,
        dropsOtherOutputs: Bool = false
    ) throws(FoldRefusal) {
        let node = site.node
        var outputs = node.outputs
        for (index, demand) in site.demands.enumerated() {
            if let demand {
                outputs[index] = demand.name
            } else if dropsOtherOutputs {
                outputs[index] = nil
            }
        }
        edit.replacements[node.identifier] = try Node.made(
            name: node.name, domain: node.domain, type: node.type, attributes: attributes ?? node.attributes,
            opset: node.opset, inputs: inputs, outputs: outputs)
    }

    /// Writes down that the constants of `site` hold the affine.
    package mutating func absorbed(at site: BackwardSite, by rule: String) {
        if !rules.contains(rule) { rules.append(rule) }
        producers.append(site.node.name)
    }

    /// The node with other inputs and behind it one that `made` makes of the value between them; in the affine's place,
    /// which keeps the graph's order, if no other node has it.
    mutating func append(
        to site: BackwardSite, inputs: [String?], _ made: (String) throws(FoldRefusal) -> Node
    ) throws(FoldRefusal) {
        var node = site.node
        let between = unusedName(node.name + "_scaled")
        node.inputs = inputs
        node.outputs = [between]
        edit.replacements[node.identifier] = node
        let new = try made(between)
        if edit.replacements[root.identifier] == nil {
            edit.replacements[root.identifier] = new
        } else {
            edit.insertedNodes.append(new)
        }
    }

    /// Takes a Cast out: its input becomes what its output would.
    mutating func removeCast(_ site: BackwardSite, _ input: String) throws(FoldRefusal) {
        guard !worklist.contains(input) else { throw site.refusal("another Cast reads '\(input)' too") }
        hasMetCast = true
        edit.removedNodes.insert(site.node.identifier)
        let demand = BackwardDemand(affine: site.affine, name: site.demand.name, isWide: false)
        try worklist.want(demand, of: input, by: site.node)
    }

    func unusedNodeName(_ stem: String) -> String {
        let taken = edit.insertedNodes + edit.replacements.values
        return context.unusedNodeName(stem, besides: Set(taken.map(\.name)))
    }

    /// Remembered at once: two demands never get one name.
    private mutating func unusedName(_ stem: String) -> String {
        let name = context.unusedValueName(stem, besides: newNames)
        newNames.insert(name)
        return name
    }
}
