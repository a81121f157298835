import Graph

/// Where each batch normalization of a model is at the moment, for the report.
struct FoldLedger {
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

    private var records: [Record]
    /// The records of the batch normalizations that each affine holds, by its node.
    private var residents: [Node.Identifier: [Int]] = [:]
    private let nodeCount: Int
    private let weightByteCount: Int

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
            for index in residents[node] ?? [] { records[index].statistics = statistics }
        case .composed(let other):
            let moving = residents.removeValue(forKey: node) ?? []
            for index in moving { records[index].place = .composed(into: other) }
            residents[other, default: []] += moving
        case .absorbed(let absorption):
            for index in residents.removeValue(forKey: node) ?? [] {
                records[index].place = .absorbed(rule: rule, absorption)
            }
        }
    }

    /// The report when every edit is taken back for one reason.
    func report(refusing reason: String, _ graph: Graph) -> FoldReport {
        var unfolded = self
        var refusals: [Node.Identifier: FoldRefusal] = [:]
        for (index, record) in records.enumerated() {
            if case .gone = record.place { continue }
            unfolded.records[index].place = .node(record.identifier)
            refusals[record.identifier] = FoldRefusal(reason)
        }
        return unfolded.report(of: graph, refusals)
    }

    /// `refusals`: why each node that stays in `graph` could not go.
    func report(of graph: Graph, _ refusals: [Node.Identifier: FoldRefusal]) -> FoldReport {
        let index = GraphIndex(graph)
        return FoldReport(
            entries: records.map { entry($0, index, refusals) }, nodeCountBefore: nodeCount,
            nodeCountAfter: graph.nodes.count, weightByteCountBefore: weightByteCount,
            weightByteCountAfter: graph.weightByteCount,
            notice: records.isEmpty ? FoldReport.noBatchNormalizationNotice : nil)
    }

    private func entry(
        _ record: Record, _ index: GraphIndex, _ refusals: [Node.Identifier: FoldRefusal]
    ) -> FoldReport.Entry {
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
            let other = index.node(identifier)
            entry.outcome = .partial
            entry.consumer = other?.name
            entry.reason = "merged with '\(other?.name ?? "")', which has to stay"
            entry.blockedBy = refusals[identifier]?.blockedBy
        case .node(let identifier):
            let node = index.node(identifier)
            let producer = index.producer(of: node?.input(0))
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
        let type = producer.operation is Affine ? "BatchNormalization" : producer.type
        return FoldRefusal("the preceding node is \(type), \(who)", blockedBy: producer.name)
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
