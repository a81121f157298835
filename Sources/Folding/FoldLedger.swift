import Graph

/// Where each batch normalization of a model, and each chain of arithmetic that may be one, is at the moment, for the
/// report.
struct FoldLedger {
    private enum Place {
        case node(Node.Identifier)
        case composed(into: Node.Identifier)
        /// Another record has taken its operators over.
        case partOfChain
        case absorbed(rule: String, Absorption)
        /// Gone before the first rule ran.
        case gone(rule: String)
    }

    private struct Record {
        let identifier: Node.Identifier
        let name: String
        var place: Place
        var statistics: BatchNormalizationStatistics?
        var deadChannels: FoldReport.DeadChannels?
        /// Empty for a batch normalization; else the operators of a chain, which are one record once they are one affine.
        var arithmetic: [ChannelArithmetic] = []
    }

    private var records: [Record]
    /// The records that each affine holds, by its node.
    private var residents: [Node.Identifier: [Int]] = [:]
    /// Where pieces begin and end that would at values of which channels are gone, by those.
    private var starts: [String: String?] = [:]
    private var ends: [String: String] = [:]
    private let nodeCount: Int
    private let weightByteCount: Int
    /// Whether anything is another function now, or a batch normalization an affine.
    private(set) var hasFolded = false

    init(original: Graph, prepared: Graph) {
        nodeCount = original.nodes.count
        weightByteCount = original.weightByteCount
        let present = Set(prepared.nodes.map(\.identifier))
        records = original.nodes.filter { $0.type == "BatchNormalization" }.map { node in
            let isConstant = node.outputs.contains { $0.map { prepared.constants[$0] != nil } ?? false }
            let place: Place =
                present.contains(node.identifier)
                ? .node(node.identifier)
                : .gone(rule: isConstant ? "constant-propagation" : "remove-unused")
            return Record(identifier: node.identifier, name: node.name, place: place)
        }
        for (index, record) in records.enumerated() { residents[record.identifier] = [index] }
    }

    /// Writes down what `rule` made of `node`.
    mutating func record(_ effect: FoldProposal.Effect, at node: Node.Identifier, by rule: String) {
        switch effect {
        case .recognised(let statistics):
            hasFolded = true
            for index in residents[node] ?? [] { records[index].statistics = statistics }
        case .recognisedArithmetic(let arithmetic):
            residents[node] = [records.count]
            records.append(
                Record(identifier: node, name: arithmetic.name, place: .node(node), arithmetic: [arithmetic]))
        case .composed(let other):
            compose(residents.removeValue(forKey: node) ?? [], into: other)
        case .absorbed(let absorption):
            hasFolded = true
            moveInputs(of: absorption)
            if let remainder = absorption.remainder {
                records.append(
                    Record(
                        identifier: node, name: remainder.name,
                        place: .absorbed(rule: rule, absorption), arithmetic: [remainder]))
            }
            for index in residents.removeValue(forKey: node) ?? [] {
                records[index].place = .absorbed(rule: rule, absorption)
            }
        case .droppedChannels(let drop):
            hasFolded = true
            for value in drop.values {
                starts.updateValue(drop.input, forKey: value)
                ends[value] = drop.output
            }
            for index in residents[node] ?? [] {
                let dropped = (records[index].deadChannels?.droppedCount ?? 0) + drop.count
                records[index].deadChannels = FoldReport.DeadChannels(count: dropped, droppedCount: dropped)
            }
        }
    }

    /// Writes down why the channels that the affine `node` still makes constant stay.
    mutating func noteDeadChannels(of node: Node, _ refusal: FoldRefusal) {
        guard let affine = node.operation as? Affine else { return }
        for index in residents[node.identifier] ?? [] {
            let dropped = records[index].deadChannels?.droppedCount ?? 0
            records[index].deadChannels = FoldReport.DeadChannels(
                count: dropped + affine.scale.count { $0 == 0 }, droppedCount: dropped,
                reason: refusal.description)
        }
    }

    /// The first value at or before `value` that has all its channels still, and the first behind it: each
    /// entry leads further in the graph's order.
    private func start(_ value: String?) -> String? {
        var value = value
        while let name = value, let other = starts[name], other != name { value = other }
        return value
    }

    private func end(_ value: String) -> String {
        var value = value
        while let other = ends[value], other != value { value = other }
        return value
    }

    /// Folds whose piece began at a value that is gone: it begins before the affine now.
    private mutating func moveInputs(of absorption: Absorption) {
        guard !absorption.replacedValues.isEmpty else { return }
        for index in records.indices {
            guard case .absorbed(let rule, var own) = records[index].place,
                own.input.map(absorption.replacedValues.contains) ?? false
            else { continue }
            own.input = absorption.input
            records[index].place = .absorbed(rule: rule, own)
        }
    }

    private mutating func compose(_ moving: [Int], into other: Node.Identifier) {
        let staying = residents[other] ?? []
        for index in moving where records[index].arithmetic.isEmpty {
            records[index].place = .composed(into: other)
        }
        var merged = moving + staying
        // The operators of both are one chain from now on.
        let chains = merged.filter { !records[$0].arithmetic.isEmpty }
        if let last = chains.last {
            records[last].arithmetic = chains.flatMap { records[$0].arithmetic }
            records[last].place = chains.count == merged.count ? .node(other) : .composed(into: other)
            for index in chains.dropLast() { records[index].place = .partOfChain }
            merged.removeAll { chains.dropLast().contains($0) }
        }
        residents[other] = merged
    }

    /// The report when every edit is taken back for one reason.
    func report(refusing reason: String, _ graph: Graph) -> FoldReport {
        var unfolded = self
        var refusals: [Node.Identifier: FoldRefusal] = [:]
        for (index, record) in records.enumerated() {
            switch record.place {
            case .gone, .partOfChain: continue
            default: break
            }
            unfolded.records[index].place = .node(record.identifier)
            refusals[record.identifier] = FoldRefusal(reason)
        }
        return unfolded.report(of: graph, FoldRefusals(backward: refusals))
    }

    /// `refusals`: why each node that stays in `graph` could not go.
    func report(of graph: Graph, _ refusals: FoldRefusals) -> FoldReport {
        let index = GraphIndex(graph)
        let normalizations = records.filter { $0.arithmetic.isEmpty }.map { entry($0, index, refusals) }
        let chains = records.filter { !$0.arithmetic.isEmpty }.compactMap { chain($0, index, refusals) }
        return FoldReport(
            entries: normalizations, chains: chains, nodeCountBefore: nodeCount,
            nodeCountAfter: graph.nodes.count, weightByteCountBefore: weightByteCount,
            weightByteCountAfter: graph.weightByteCount,
            notice: normalizations.isEmpty && chains.isEmpty ? FoldReport.noBatchNormalizationNotice : nil)
    }

    /// `nil` for a chain that nobody would take for a normalization and that stays what it is.
    private func chain(
        _ record: Record, _ index: GraphIndex, _ refusals: FoldRefusals
    ) -> FoldReport.Entry? {
        if case .partOfChain = record.place { return nil }
        if case .node = record.place, !record.arithmetic.contains(where: \.scalesChannels) { return nil }
        var entry = entry(record, index, refusals)
        entry.chain = FoldReport.Chain(
            nodes: record.arithmetic.map(\.name), operators: record.arithmetic.map(\.operation))
        if case .absorbed(_, let absorption) = record.place {
            entry.channelCount = absorption.scale.count
            entry.scaleMinimum = absorption.scale.min()
            entry.scaleMaximum = absorption.scale.max()
        }
        return entry
    }

    private func entry(
        _ record: Record, _ index: GraphIndex, _ refusals: FoldRefusals
    ) -> FoldReport.Entry {
        var entry = FoldReport.Entry(batchNorm: record.name, outcome: .folded)
        if let statistics = record.statistics {
            entry.channelCount = statistics.channelCount
            entry.scaleMinimum = statistics.scaleMinimum
            entry.scaleMaximum = statistics.scaleMaximum
            entry.minimumVariancePlusEpsilon = statistics.minimumVariancePlusEpsilon
        }
        entry.deadChannels = record.deadChannels
        switch record.place {
        case .gone(let rule):
            entry.rule = rule
        case .partOfChain:
            break
        case .absorbed(let rule, let absorption):
            entry.rule = absorption.rule ?? rule
            if absorption.consumers.isEmpty {
                entry.producer = absorption.node
            } else {
                entry.consumer = absorption.consumers.joined(separator: ", ")
            }
            entry.input = start(absorption.input)
            entry.output = end(absorption.output)
            entry.clonedWeights = absorption.clonedByteCount > 0
        case .composed(let identifier):
            let other = index.node(identifier)
            entry.outcome = .partial
            entry.consumer = other?.name
            entry.reason = "merged with '\(other?.name ?? "")', which has to stay"
            entry.blockedBy = (refusals.backward[identifier] ?? refusals.forward[identifier])?.blockedBy
        case .node(let identifier):
            let node = index.node(identifier)
            // Where the chain's own nodes are back, what precedes the first one counts.
            let first = record.arithmetic.first.flatMap { operation in
                index.graph.nodes.first { $0.name == operation.name }
            }
            let value = (first ?? node)?.inputs.first { index.graph.fixedConstant($0) == nil } ?? nil
            let producer = index.producer(of: value)
            let refusal = refusals.backward[identifier] ?? .unmatched(value: value, producer: producer)
            entry.outcome = .refused
            entry.producer = producer?.name
            entry.reason = refusal.reason
            if let forward = refusals.forward[identifier] { entry.reason? += "; forward: \(forward.reason)" }
            entry.blockedBy = refusal.blockedBy
        }
        return entry
    }
}

extension FoldRefusal {
    private static let absorbers = "only Conv, ConvTranspose, Gemm and MatMul can absorb it backward"

    /// Why no rule looked at an affine at all.
    static func unmatched(value: String?, producer: Node?) -> FoldRefusal {
        producer.map(unmatched) ?? unmatched(value: value)
    }

    /// Why an affine cannot go to a value that no node defines.
    static func unmatched(value: String?) -> FoldRefusal {
        FoldRefusal("no node precedes it, \(absorbers)", blockedBy: value)
    }

    /// Why an affine cannot go into a node, or through it.
    static func unmatched(_ producer: Node) -> FoldRefusal {
        let type = producer.operation is Affine ? producer.affineDescription : producer.type
        return FoldRefusal("the preceding node is \(type), \(absorbers)", blockedBy: producer.name)
    }
}

extension Graph {
    /// The bytes of constants and of tensors in attributes; an affine that stands for its source nodes has theirs.
    var weightByteCount: Int {
        let attributes = nodes.lazy.filter(\.sources.isEmpty).flatMap(\.attributes.values).map { attribute in
            if case .tensor(let tensor) = attribute { tensor.byteCount } else { 0 }
        }
        return constants.values.reduce(attributes.reduce(0, +)) { $0 + $1.byteCount }
    }
}
