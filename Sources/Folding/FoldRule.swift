import Graph

/// One exact rewrite: it looks at one node and proposes an edit; it never changes a graph.
///
/// A rule is one file in Rules/ and one line in `FoldPipeline`.
package protocol FoldRule: Sendable {
    /// What reports call the rule: `batchnorm-into-conv`.
    var name: String { get }

    /// `nil`: not this rule's pattern. Throws `FoldRefusal` for the pattern with an unmet precondition.
    func proposal(at node: Node, in context: FoldContext) throws(FoldRefusal) -> FoldProposal?
}

/// What a rule may look at.
package struct FoldContext: Sendable {
    package let graph: Graph
    package let index: GraphIndex
    /// What is known of every value, by name.
    package let values: [String: ValueInfo]
}

/// An edit with what a report says of it.
package struct FoldProposal: Sendable {
    package var edit: GraphEdit
    /// The node that took the parameters, when the affine is gone with this edit.
    package var absorbingNode: String?
    /// Whether the absorbing node's weights were cloned because another node reads them too.
    package var clonesWeights: Bool
}

/// A pattern that matched and must not be folded, with the reason a user reads.
package struct FoldRefusal: Error, Sendable, Equatable, CustomStringConvertible {
    /// The first precondition that failed.
    package let reason: String
    /// The node or value that blocks the fold.
    package let blockedBy: String?

    package init(_ reason: String, blockedBy: String? = nil) {
        self.reason = reason
        self.blockedBy = blockedBy
    }

    package var description: String { blockedBy.map { "\(reason) (\($0))" } ?? reason }
}
