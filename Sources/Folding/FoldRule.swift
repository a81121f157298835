import Graph

/// One exact rewrite: it looks at one node and proposes an edit; it never changes a graph.
///
/// A rule is one file in Rules/ and one line in `FoldPipeline`.
package protocol FoldRule: Sendable {
    /// What reports call the rule: `batchnorm-into-conv`.
    var name: String { get }
    /// Whether it moves an affine to what comes behind it rather than before it.
    var isForward: Bool { get }

    /// `nil`: not this rule's pattern. Throws `FoldRefusal` for the pattern with an unmet precondition.
    func proposal(at node: Node, in context: FoldContext) throws(FoldRefusal) -> FoldProposal?
}

extension FoldRule {
    package var isForward: Bool { false }
}

/// An edit with what a report says of it.
package struct FoldProposal: Sendable {
    /// What becomes of the node that the rule looked at.
    package enum Effect: Sendable {
        /// A batch normalization is now an affine with the same identifier.
        case recognised(BatchNormalizationStatistics)
        /// A Mul, Add, Sub or Div with a constant is now an affine with the same identifier.
        case recognisedArithmetic(ChannelArithmetic)
        /// The affine is part of another affine.
        case composed(into: Node.Identifier)
        /// The affine is gone: another node's parameters hold it.
        case absorbed(Absorption)
        /// Channels that the affine makes constant are gone.
        case droppedChannels(ChannelDrop)
    }

    package var edit: GraphEdit
    package var effect: Effect

    package init(edit: GraphEdit, effect: Effect) {
        self.edit = edit
        self.effect = effect
    }
}

/// Where an affine went.
package struct Absorption: Sendable {
    /// What reports call the rule, where that depends on who took the affine; of several, joined by commas.
    package var rule: String?
    /// The name of the node whose parameters hold the affine now; of several, joined by commas.
    package var node: String
    /// The value that the piece before and the piece after both read; `nil` when they read several.
    package var input: String?
    /// The value that both define.
    package var output: String
    /// The bytes of weights that were cloned because another node reads them too: 0 for weights of its own.
    package var clonedByteCount: Int
    /// The bytes by which constants grew that were broadcast along the channels before.
    package var grownByteCount: Int
    /// The affine's, for each channel.
    package var scale: [Double]
    /// The names of the nodes behind the affine that hold it now: none when the one before it does.
    package var consumers: [String] = []
    /// The values between `input` and those nodes that are gone.
    package var replacedValues: Set<String> = []
    /// The node that the scale and shift were part of and that stays: a normalization by moments of the run.
    package var remainder: ChannelArithmetic?

    package init(
        rule: String? = nil, node: String, input: String?, output: String, clonedByteCount: Int,
        grownByteCount: Int = 0, scale: [Double] = []
    ) {
        self.rule = rule
        self.node = node
        self.input = input
        self.output = output
        self.clonedByteCount = clonedByteCount
        self.grownByteCount = grownByteCount
        self.scale = scale
    }
}

/// Channels that are gone between two layers.
package struct ChannelDrop: Sendable {
    package var count: Int
    /// The value that the piece before and the piece after both read, and the one that both define.
    package var input: String?
    package var output: String
    /// Those between, which have fewer channels now, by their names before and after.
    package var values: Set<String>

    package init(count: Int, input: String?, output: String, values: Set<String>) {
        self.count = count
        self.input = input
        self.output = output
        self.values = values
    }
}

/// What a report says of one operator that was recognised as an affine, or that has one.
package struct ChannelArithmetic: Sendable, Equatable {
    /// The node's.
    package var name: String
    /// The operator: `Mul`.
    package var operation: String
    /// Whether it has a scale that differs from channel to channel.
    package var scalesChannels: Bool
}

/// What a report says of a batch normalization's parameters.
package struct BatchNormalizationStatistics: Sendable, Equatable {
    package var channelCount: Int
    package var scaleMinimum: Double
    package var scaleMaximum: Double
    package var minimumVariancePlusEpsilon: Double
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
