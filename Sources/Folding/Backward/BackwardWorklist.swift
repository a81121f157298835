import Graph

/// The values that must still change, each with what it must become.
///
/// Nodes come against the graph's order, so that every demand on a node's outputs is known when its turn comes: a value that
/// all its readers want changed in the same way may have several.
struct BackwardWorklist {
    private struct Wanted {
        let demand: BackwardDemand
        let producer: Node
        let position: Int
        /// How often each node that reads the value reads it changed.
        var uses: [Node.Identifier: Int]
    }

    private let context: FoldContext
    private var wanted: [String: Wanted] = [:]

    init(_ context: FoldContext) { self.context = context }

    func contains(_ value: String) -> Bool { wanted[value] != nil }

    /// Asks for `value` to be changed where `reader` reads it, once. The name that it will have: that of `demand`, or of one
    /// that asked for the same before.
    @discardableResult
    mutating func want(
        _ demand: BackwardDemand, of value: String, by reader: Node
    ) throws(FoldRefusal) -> String {
        if let known = wanted[value]?.demand {
            guard known.affine.equals(demand.affine), known.isWide == demand.isWide else {
                throw FoldRefusal("'\(value)' would have to change in two ways", blockedBy: reader.name)
            }
            wanted[value]?.uses[reader.identifier, default: 0] += 1
            return known.name
        }
        guard let producer = context.index.producer(of: value),
            let position = context.index.position(of: producer.identifier)
        else { throw FoldRefusal.unmatched(value: value) }
        wanted[value] = Wanted(
            demand: demand, producer: producer, position: position, uses: [reader.identifier: 1])
        return demand.name
    }

    /// The last node of the graph's order whose outputs must change; `nil` when none is left. Throws when somebody depends on
    /// one of them as it is.
    mutating func next() throws(FoldRefusal) -> BackwardSite? {
        guard let node = wanted.values.max(by: { $0.position < $1.position })?.producer else { return nil }
        var demands: [BackwardDemand?] = []
        for output in node.outputs {
            guard let output, let entry = wanted.removeValue(forKey: output) else {
                demands.append(nil)
                continue
            }
            try requireUses(entry.uses, of: output)
            demands.append(entry.demand)
        }
        guard case let first?? = demands.first(where: { $0 != nil }) else { return nil }
        return BackwardSite(node: node, demands: demands, demand: first, context: context)
    }

    private func requireUses(
        _ uses: [Node.Identifier: Int], of value: String
    ) throws(FoldRefusal) {
        guard !context.index.isGraphOutput(value) else {
            throw FoldRefusal("the value before it is also a graph output", blockedBy: value)
        }
        for reader in context.index.consumers(of: value)
        where uses[reader.identifier] != reader.inputs.count(where: { $0 == value }) {
            throw FoldRefusal("the value before it has another consumer", blockedBy: reader.name)
        }
    }
}
