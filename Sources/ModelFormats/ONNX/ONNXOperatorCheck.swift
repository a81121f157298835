import Graph

/// Finds the operators of a model that foldserve does not have, those of subgraphs and of the functions that are called included.
struct ONNXOperatorCheck {
    private let readsOwnOperators: Bool
    private var missing: Set<String> = []

    private init(readsOwnOperators: Bool) { self.readsOwnOperators = readsOwnOperators }

    /// The names of the operators that `graph` needs and the catalogue lacks, sorted.
    static func missing(in graph: ONNXGraphProto, readsOwnOperators: Bool) -> [String] {
        var check = ONNXOperatorCheck(readsOwnOperators: readsOwnOperators)
        check.visit(graph.node)
        return check.missing.sorted()
    }

    private mutating func visit(_ nodes: [ONNXNodeProto]) {
        for node in nodes {
            let name =
                ONNXNodeReader.isDefaultDomain(node.domain) ? node.opType : node.domain + "." + node.opType
            let isOwn = node.domain == Affine.domain && node.opType == Affine.type
            let isKnown =
                ONNXNodeReader.isConstant(node) || readsOwnOperators && isOwn
                || ONNXNodeReader.isDefaultDomain(node.domain) && node.opType != Affine.type
                    && OperatorCatalog.standard.contains(domain: "", type: node.opType)
            if !isKnown { missing.insert(name.isEmpty ? "(unnamed)" : name) }
            for attribute in node.attribute where attribute.hasG { visit(attribute.g.node) }
        }
    }
}
