import Graph
import Tensors

/// One graph on its way through the pipeline, with what became of each batch normalization so far.
struct FoldRun {
    private struct Attempt: Hashable {
        let rule: String
        let node: Node.Identifier
    }

    private struct Accepted {
        let node: Node.Identifier
        let rule: String
        let proposal: FoldProposal
    }

    private(set) var graph: Graph
    private(set) var ledger: FoldLedger
    /// The first refusal at each node in this round.
    var refusals = FoldRefusals()
    private var context: FoldContext
    /// Edits that did not pass the checks; not tried again.
    private var dropped: [Attempt: FoldRefusal] = [:]
    private var clonedByteCount = 0
    private var absorbedCount = 0
    private let clonedByteLimit: Int
    /// Nodes, by name, that are not to be folded.
    private let excluded: [String: FoldRefusal]

    init(
        original: Graph, prepared: Graph, excluded: [String: FoldRefusal] = [:]
    ) throws(GraphError) {
        self.excluded = excluded
        graph = prepared
        ledger = FoldLedger(original: original, prepared: prepared)
        clonedByteLimit = max(FoldPipeline.maximumClonedByteCount, original.weightByteCount)
        context = FoldContext(
            graph: prepared, values: try prepared.inferValues(),
            takenNames: Self.valueNames(of: original).union(Self.valueNames(of: prepared)),
            takenNodeNames: Set(original.nodes.map(\.name)))
    }

    /// Looks at every node with one rule and applies what it proposes; edits that touch the same nodes wait for the
    /// next sweep. Returns whether there may be more to do.
    mutating func sweep(_ rule: any FoldRule, _ onProgress: (Int) -> Void) -> Bool {
        var touched: Set<Node.Identifier> = []
        var accepted: [Accepted] = []
        for node in graph.nodes {
            do throws(FoldRefusal) {
                // As an affine it still says what it is.
                if !(rule is RecogniseBatchNormalization), let refusal = excluded[node.name] { throw refusal }
                if let refusal = dropped[Attempt(rule: rule.name, node: node.identifier)] { throw refusal }
                guard let proposal = try rule.proposal(at: node, in: context) else { continue }
                let touches = proposal.edit.removedNodes
                    .union(proposal.edit.replacements.keys).union(proposal.edit.expansions.keys)
                guard touched.isDisjoint(with: touches) else { continue }
                if case .absorbed(let absorption) = proposal.effect {
                    let byteCount = absorption.clonedByteCount + absorption.grownByteCount
                    guard clonedByteCount + byteCount <= clonedByteLimit else {
                        throw FoldRefusal(
                            "clones of shared weights would take more than \(clonedByteLimit) bytes",
                            blockedBy: absorption.node)
                    }
                    clonedByteCount += byteCount
                    absorbedCount += 1
                    onProgress(absorbedCount)
                }
                touched.formUnion(touches)
                context.takenNames.formUnion(proposal.edit.insertedConstants.keys)
                for new in proposal.edit.insertedNodes + proposal.edit.replacements.values {
                    context.takenNames.formUnion(new.outputs.compactMap { $0 })
                    context.takenNodeNames.insert(new.name)
                }
                accepted.append(Accepted(node: node.identifier, rule: rule.name, proposal: proposal))
            } catch {
                if rule is DropDeadChannels {
                    // The affine may go all the same.
                    if excluded[node.name] == nil { ledger.noteDeadChannels(of: node, error) }
                } else {
                    refusals.note(error, at: node.identifier, by: rule)
                }
            }
        }
        guard !accepted.isEmpty else { return false }
        if apply(accepted[...]) { context = context.moved(to: graph) }
        // An edit that was dropped is not tried again, but others may have waited for it.
        return true
    }

    /// Applies the edits together; if the graph does not pass, halves them until the one that fails stands alone.
    private mutating func apply(_ accepted: ArraySlice<Accepted>) -> Bool {
        guard let first = accepted.first else { return false }
        do {
            let edit = accepted.dropFirst().reduce(into: first.proposal.edit) { $0.merge($1.proposal.edit) }
            let (edited, values) = try checked(edit)
            graph = edited
            context.values = values
            for change in accepted {
                ledger.record(change.proposal.effect, at: change.node, by: change.rule)
            }
            return true
        } catch {
            guard accepted.count > 1 else {
                dropped[Attempt(rule: first.rule, node: first.node)] = FoldRefusal(
                    "the edit would not leave a valid graph: \(error)")
                return false
            }
            let middle = accepted.startIndex + accepted.count / 2
            let applied = apply(accepted[..<middle])
            return apply(accepted[middle...]) || applied
        }
    }

    /// The edited graph and what is known of its values. Throws when a value is missing or defined twice, when an
    /// operator refuses its inputs, and when a value that keeps its name would have another type or shape.
    private func checked(_ edit: GraphEdit) throws(GraphError) -> (Graph, [String: ValueInfo]) {
        let edited = try graph.applying(edit)
        var values = context.values
        for (name, tensor) in edit.insertedConstants { values[name] = ValueInfo(constant: tensor) }
        let new = edit.insertedNodes + edit.replacements.values
        let definedNames = Set(new.flatMap(\.outputs).compactMap { $0 })
        for node in edited.nodes
        where node.outputs.contains(where: { $0.map(definedNames.contains) ?? false }) {
            let arguments = node.inputs.map { $0.flatMap { values[$0] } }
            let results: [ValueInfo]
            do {
                results = try node.operation.inferOutputs(arguments, outputCount: node.outputs.count)
            } catch {
                throw error.at(node)
            }
            for case (let name?, let result) in zip(node.outputs, results) {
                if let known = values[name], !result.agrees(with: known) {
                    throw .input(node.type, reason: "'\(name)' would become \(result) from \(known)")
                }
                values[name] = result
            }
        }
        return (edited, values)
    }

    private static func valueNames(of graph: Graph) -> Set<String> {
        var names = Set(graph.constants.keys).union(graph.inputs.map(\.name))
        for node in graph.nodes { names.formUnion(node.outputs.compactMap { $0 }) }
        return names
    }
}

/// Why each node that stays could not go, in either direction: the first reason of each.
struct FoldRefusals {
    private(set) var backward: [Node.Identifier: FoldRefusal] = [:]
    private(set) var forward: [Node.Identifier: FoldRefusal] = [:]

    init(backward: [Node.Identifier: FoldRefusal] = [:]) { self.backward = backward }

    mutating func note(_ refusal: FoldRefusal, at node: Node.Identifier, by rule: any FoldRule) {
        if rule.isForward {
            if forward[node] == nil { forward[node] = refusal }
        } else {
            if backward[node] == nil { backward[node] = refusal }
        }
    }
}

extension FoldContext {
    /// The same knowledge after an edit.
    func moved(to graph: Graph) -> FoldContext {
        FoldContext(graph: graph, values: values, takenNames: takenNames, takenNodeNames: takenNodeNames)
    }
}

extension GraphEdit {
    /// Both edits, which touch different nodes.
    mutating func merge(_ other: GraphEdit) {
        removedNodes.formUnion(other.removedNodes)
        insertedNodes += other.insertedNodes
        replacements.merge(other.replacements) { first, _ in first }
        expansions.merge(other.expansions) { first, _ in first }
        insertedConstants.merge(other.insertedConstants) { first, _ in first }
    }
}
