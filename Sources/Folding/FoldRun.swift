import Graph
import Tensors

/// One graph on its way through the pipeline, with what became of each batch normalization so far.
struct FoldRun {
    /// Where a batch normalization of the model is now.
    private enum Place {
        case node(Node.Identifier)
        case composed(into: Node.Identifier)
        case absorbed(rule: String, Absorption)
        /// Gone before the first rule ran.
        case gone(rule: String)
    }

    private struct Record {
        let identifier: Node.Identifier
        let name: String
        var place: Place
        var statistics: BatchNormalizationStatistics?
    }

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
    /// The first refusal at each node in this round.
    var refusals: [Node.Identifier: FoldRefusal] = [:]
    private var context: FoldContext
    private var records: [Record]
    /// The records of the batch normalizations that each affine holds, by its node.
    private var residents: [Node.Identifier: [Int]] = [:]
    /// Edits that did not pass the checks; not tried again.
    private var dropped: [Attempt: FoldRefusal] = [:]
    private var clonedByteCount = 0
    private let clonedByteLimit: Int
    private let originalNodeCount: Int
    private let originalByteCount: Int

    init(original: Graph, prepared: Graph) throws(GraphError) {
        graph = prepared
        originalNodeCount = original.nodes.count
        originalByteCount = Self.weightByteCount(of: original)
        clonedByteLimit = max(FoldPipeline.maximumClonedByteCount, originalByteCount)
        context = FoldContext(
            graph: prepared, values: try prepared.inferValues(),
            takenNames: Self.valueNames(of: original).union(Self.valueNames(of: prepared)),
            takenNodeNames: Set(original.nodes.map(\.name)))
        let present = Set(prepared.nodes.map(\.identifier))
        let propagated = Set(prepared.constants.keys)
        records = original.nodes.filter { $0.type == "BatchNormalization" }.map { node in
            let isConstant = node.outputs.first.flatMap { $0 }.map(propagated.contains) ?? false
            let place: Place =
                present.contains(node.identifier)
                ? .node(node.identifier)
                : .gone(rule: isConstant ? "constant-propagation" : "remove-unused")
            return Record(identifier: node.identifier, name: node.name, place: place)
        }
        for (index, record) in records.enumerated() { residents[record.identifier] = [index] }
    }

    /// Looks at every node with one rule and applies what it proposes; edits that touch the same nodes wait for the
    /// next sweep. Returns whether there may be more to do.
    mutating func sweep(_ rule: any FoldRule) -> Bool {
        var touched: Set<Node.Identifier> = []
        var accepted: [Accepted] = []
        for node in graph.nodes {
            do throws(FoldRefusal) {
                if let refusal = dropped[Attempt(rule: rule.name, node: node.identifier)] { throw refusal }
                guard let proposal = try rule.proposal(at: node, in: context) else { continue }
                let touches = proposal.edit.removedNodes.union(proposal.edit.replacements.keys)
                guard touched.isDisjoint(with: touches) else { continue }
                if case .absorbed(let absorption) = proposal.effect {
                    guard clonedByteCount + absorption.clonedByteCount <= clonedByteLimit else {
                        throw FoldRefusal(
                            "clones of shared weights would take more than \(clonedByteLimit) bytes",
                            blockedBy: absorption.node)
                    }
                    clonedByteCount += absorption.clonedByteCount
                }
                touched.formUnion(touches)
                context.takenNames.formUnion(proposal.edit.insertedConstants.keys)
                for new in proposal.edit.insertedNodes + proposal.edit.replacements.values {
                    context.takenNames.formUnion(new.outputs.compactMap { $0 })
                    context.takenNodeNames.insert(new.name)
                }
                accepted.append(Accepted(node: node.identifier, rule: rule.name, proposal: proposal))
            } catch {
                if refusals[node.identifier] == nil { refusals[node.identifier] = error }
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
            for change in accepted { record(change) }
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

    private mutating func record(_ change: Accepted) {
        switch change.proposal.effect {
        case .recognised(let statistics):
            for index in residents[change.node] ?? [] { records[index].statistics = statistics }
        case .composed(let other):
            let moving = residents.removeValue(forKey: change.node) ?? []
            for index in moving { records[index].place = .composed(into: other) }
            residents[other, default: []] += moving
        case .absorbed(let absorption):
            for index in residents.removeValue(forKey: change.node) ?? [] {
                records[index].place = .absorbed(rule: change.rule, absorption)
            }
        }
    }

    /// Takes back every fold: the graph before is what is served.
    mutating func refuseAll(_ reason: String) {
        for index in records.indices {
            records[index].place = .node(records[index].identifier)
            refusals[records[index].identifier] = FoldRefusal(reason)
        }
    }

    // MARK: The report

    func report(of result: Graph) -> FoldReport {
        FoldReport(
            entries: records.map(entry), nodeCountBefore: originalNodeCount,
            nodeCountAfter: result.nodes.count, weightByteCountBefore: originalByteCount,
            weightByteCountAfter: Self.weightByteCount(of: result),
            notice: records.isEmpty ? FoldReport.noBatchNormalizationNotice : nil)
    }

    private func entry(_ record: Record) -> FoldReport.Entry {
        var entry = FoldReport.Entry(batchNorm: record.name, outcome: .folded)
        if let statistics = record.statistics {
            entry.channelCount = statistics.channelCount
            entry.scaleMinimum = statistics.scaleMinimum
            entry.scaleMaximum = statistics.scaleMaximum
            entry.minimumVariancePlusEpsilon = statistics.minimumVariancePlusEpsilon
        }
        switch record.place {
        case .gone(let rule):
            entry.rule = rule
        case .absorbed(let rule, let absorption):
            entry.rule = rule
            entry.producer = absorption.node
            entry.input = absorption.input
            entry.output = absorption.output
            entry.clonedWeights = absorption.clonedByteCount > 0
        case .composed(let identifier):
            let other = context.index.node(identifier)
            entry.outcome = .partial
            entry.consumer = other?.name
            entry.reason = "merged with the affine '\(other?.name ?? "")', which has to stay"
            entry.blockedBy = refusals[identifier]?.blockedBy
        case .node(let identifier):
            let node = context.index.node(identifier)
            let producer = context.index.producer(of: node?.input(0))
            let refusal = refusals[identifier] ?? Self.unmatched(value: node?.input(0), producer: producer)
            entry.outcome = .refused
            entry.producer = producer?.name
            entry.reason = refusal.reason
            entry.blockedBy = refusal.blockedBy
        }
        return entry
    }

    /// Why no rule looked at an affine at all.
    private static func unmatched(value: String?, producer: Node?) -> FoldRefusal {
        let who = "only Conv, ConvTranspose, Gemm and MatMul can absorb it backward"
        guard let producer else {
            return FoldRefusal("no node precedes it, \(who)", blockedBy: value)
        }
        return FoldRefusal("the preceding node is \(producer.type), \(who)", blockedBy: producer.name)
    }

    /// The constants' bytes and those in attributes; an affine that stands for its source nodes has theirs.
    private static func weightByteCount(of graph: Graph) -> Int {
        let nodes = graph.nodes.lazy.filter(\.sources.isEmpty)
        let attributes = nodes.flatMap(\.attributes.values).map { attribute in
            if case .tensor(let tensor) = attribute { tensor.byteCount } else { 0 }
        }
        return graph.constants.values.reduce(attributes.reduce(0, +)) { $0 + $1.byteCount }
    }

    private static func valueNames(of graph: Graph) -> Set<String> {
        var names = Set(graph.constants.keys).union(graph.inputs.map(\.name))
        for node in graph.nodes { names.formUnion(node.outputs.compactMap { $0 }) }
        return names
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
        insertedConstants.merge(other.insertedConstants) { first, _ in first }
    }
}
