import Graph

/// Which names of a program stand for the same memory, so that a write through one is not missed by another.
///
/// An operator that writes into its input is mapped to one that does not, and its input's name then stands for the
/// result. That is right as long as no other name for the same memory is read later: such a program is refused.
struct PyTorchAliases {
    private let catalog: PyTorchOperatorCatalog
    private var lastUses: [String: Int] = [:]
    private var groups: [String: Int] = [:]
    private var members: [[String]] = []

    init(nodes: [PyTorchNode], outputs: [String], catalog: PyTorchOperatorCatalog) {
        self.catalog = catalog
        for (index, node) in nodes.enumerated() {
            for argument in node.arguments.values {
                for name in argument.names { lastUses[name] = index }
            }
        }
        for name in outputs { lastUses[name] = nodes.count }
    }

    /// Notes what `node`, number `index`, shares or writes.
    mutating func check(_ node: PyTorchNode, at index: Int) throws(GraphError) {
        let writes = catalog.isInPlace(node.target)
        guard writes || catalog.isView(node.target), let source = PyTorchCall.written(by: node) else {
            return
        }
        let group = groups[source] ?? members.count
        if group == members.count {
            groups[source] = group
            members.append([source])
        }
        if writes, let stale = members[group].first(where: { $0 != source && lastUses[$0] ?? -1 > index }) {
            throw .input(
                node.target,
                reason: "writes into '\(source)', whose memory '\(stale)' shares and is read later")
        }
        for case let output? in node.outputs where groups[output] == nil {
            groups[output] = group
            members[group].append(output)
        }
    }
}
