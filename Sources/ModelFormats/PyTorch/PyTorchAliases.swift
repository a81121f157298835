import Graph

/// Which names of a program stand for the same memory, so that a write through one is not missed by another.
///
/// An operator that writes into its input is mapped to one that does not, and its input's name then stands for the
/// result. What it is a slice of then stands for a tensor with that slice replaced. That is right as long as no other
/// name for the same memory is read later: such a program is refused.
struct PyTorchAliases {
    private let catalog: PyTorchOperatorCatalog
    private var lastUses: [String: Int] = [:]
    private var groups: [String: Int] = [:]
    private var members: [[String]] = []
    /// The calls that made slices, by the slice's name.
    private var slices: [String: PyTorchNode] = [:]

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
    ///
    /// Gives the calls whose slices have to be put back when it writes, the innermost first.
    mutating func check(_ node: PyTorchNode, at index: Int) throws(GraphError) -> [PyTorchNode] {
        let writes = catalog.isInPlace(node.target)
        guard writes || catalog.isView(node.target), let source = PyTorchCall.written(by: node) else {
            return []
        }
        let group = groups[source] ?? members.count
        if group == members.count {
            groups[source] = group
            members.append([source])
        }
        var chain: [PyTorchNode] = []
        if writes {
            var current = source
            var followed: Set = [source]
            while let slice = slices[current], let whole = PyTorchCall.written(by: slice),
                followed.insert(whole).inserted
            {
                chain.append(slice)
                current = whole
            }
            if let stale = members[group].first(where: { !followed.contains($0) && isRead($0, after: index) })
            {
                throw .input(
                    node.target,
                    reason: "writes into '\(source)', whose memory '\(stale)' shares and is read later")
            }
            // What nobody reads again needs no slice put back.
            while let slice = chain.last, let whole = PyTorchCall.written(by: slice),
                !isRead(whole, after: index)
            {
                chain.removeLast()
            }
        }
        for case let output? in node.outputs where groups[output] == nil {
            groups[output] = group
            members[group].append(output)
            if PyTorchWrites.isSlice(node.target) { slices[output] = node }
        }
        return chain
    }

    private func isRead(_ name: String, after index: Int) -> Bool { lastUses[name] ?? -1 > index }
}
