/// What became of every batch normalization of a model, in graph order, and of every chain of operators that does what
/// one does.
package struct FoldReport: Sendable, Encodable {
    package enum Outcome: String, Sendable, Encodable {
        /// The node is gone.
        case folded
        /// A part of it is gone: it was merged with another that has to stay.
        case partial
        /// It stays, with the reason.
        case refused
    }

    /// Operators of the model as it was read that are together one affine of each channel, or one that has an affine:
    /// a normalization by moments of the run, which stays without it.
    package struct Chain: Sendable, Encodable {
        /// The nodes' names in their order.
        package var nodes: [String]
        /// `["Sub", "Mul", "Add"]`
        package var operators: [String]

        /// What a user is told.
        package var description: String {
            operators.contains { $0.hasSuffix("Normalization") }
                ? "scale and bias of \(operators.joined(separator: " → "))"
                : "recognised \(operators.joined(separator: " → ")) as an affine like BatchNormalization"
        }
    }

    /// The channels of which a batch normalization makes a constant: its scale is 0 there.
    package struct DeadChannels: Sendable, Encodable, Equatable {
        package var count: Int
        /// Those that the layers before and behind it do not have any more.
        package var droppedCount: Int
        /// Why the others are still there.
        package var reason: String?
    }

    /// How far a folded piece may be from the one before, for all inputs.
    package struct Proof: Sendable, Encodable {
        /// The largest |ΔW|/|W| of a weight.
        package var weightError: Double
        /// The largest |Δc| of a bias or shift.
        package var shiftError: Double
        /// The bound of the results' difference, in terms of the folded weights W and what they read, x; `nil` where one
        /// weight reads another's result.
        package var bound: String?

        package init(weightError: Double, shiftError: Double, bound: String?) {
            self.weightError = weightError
            self.shiftError = shiftError
            self.bound = bound
        }
    }

    /// One batch normalization, or one chain, of the model as it was read.
    package struct Entry: Sendable, Encodable {
        /// The node's name; that of a chain's last one.
        package var batchNorm: String
        /// `nil` for a batch normalization.
        package var chain: Chain?
        package var outcome: Outcome
        /// The rule that folded it.
        package var rule: String?
        /// The node before it: folded, the one whose parameters hold it now.
        package var producer: String?
        /// The node after it whose parameters hold it now.
        package var consumer: String?
        /// Why it was not folded.
        package var reason: String?
        /// The node or value that stands in the way.
        package var blockedBy: String?
        package var channelCount: Int?
        /// The range of γ/√(σ²+ε) over the channels.
        package var scaleMinimum: Double?
        package var scaleMaximum: Double?
        package var minimumVariancePlusEpsilon: Double?
        /// `nil` when there are none.
        package var deadChannels: DeadChannels?
        /// Whether another node shares the weights, so that they were copied.
        package var clonedWeights = false
        /// The value that the folded piece reads and the one that it defines, before and after.
        package var input: String?
        package var output: String?
        /// The largest difference between the piece before and after on random input, both evaluated exactly, so that
        /// what remains is the rounding of the new weights; and the same over the standard deviation of the output, or
        /// over 1 where that is less.
        package var measuredError: Double?
        package var measuredRelativeError: Double?
        /// What the certificate proves of the folded piece, when there is one.
        package var proof: Proof?

        package init(batchNorm: String, outcome: Outcome) {
            self.batchNorm = batchNorm
            self.outcome = outcome
        }

        enum CodingKeys: String, CodingKey {
            case batchNorm, nodes, recognised, outcome, rule, producer, consumer, reason, blockedBy,
                channelCount
            case scaleMinimum, scaleMaximum, minimumVariancePlusEpsilon, clonedWeights, input, output
            case measuredError, measuredRelativeError, proof, deadChannels
        }

        package func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: CodingKeys.self)
            if let chain {
                try container.encode(chain.nodes, forKey: .nodes)
                try container.encode(chain.description, forKey: .recognised)
            } else {
                try container.encode(batchNorm, forKey: .batchNorm)
            }
            try container.encode(outcome, forKey: .outcome)
            for (key, text) in [
                (CodingKeys.rule, rule), (.producer, producer), (.consumer, consumer), (.reason, reason),
                (.blockedBy, blockedBy), (.input, input), (.output, output),
            ] {
                try container.encodeIfPresent(text, forKey: key)
            }
            try container.encodeIfPresent(channelCount, forKey: .channelCount)
            for (key, value) in [
                (CodingKeys.scaleMinimum, scaleMinimum), (.scaleMaximum, scaleMaximum),
                (.minimumVariancePlusEpsilon, minimumVariancePlusEpsilon), (.measuredError, measuredError),
                (.measuredRelativeError, measuredRelativeError),
            ] {
                try container.encodeIfPresent(value, forKey: key)
            }
            try container.encodeIfPresent(deadChannels, forKey: .deadChannels)
            try container.encode(clonedWeights, forKey: .clonedWeights)
            try container.encodeIfPresent(proof, forKey: .proof)
        }
    }

    /// The batch normalizations.
    package var entries: [Entry]
    /// The chains that were folded or that have a scale for each channel; they count as none of the above.
    package var chains: [Entry]
    package var nodeCountBefore: Int
    package var nodeCountAfter: Int
    package var weightByteCountBefore: Int
    package var weightByteCountAfter: Int
    /// What a user should know of the whole model.
    package var notice: String?
    /// SHA-256 of the model's graph and of the folded one, when somebody has made them.
    package var modelDigest: String?
    package var foldDigest: String?

    package var foldedCount: Int { entries.count { $0.outcome == .folded } }
    package var partialCount: Int { entries.count { $0.outcome == .partial } }
    package var refusedCount: Int { entries.count { $0.outcome == .refused } }
    package var foldedChainCount: Int { chains.count { $0.outcome == .folded } }

    /// What a model without any batch normalization is told.
    package static let noBatchNormalizationNotice = """
        the model has no BatchNormalization: exporters fold it by default, without a proof; to have it folded here, \
        keep it with torch.onnx.export(model, arguments, path, dynamo=False, \
        training=torch.onnx.TrainingMode.PRESERVE, do_constant_folding=False)
        """

    enum CodingKeys: String, CodingKey {
        case entries, chains, foldedCount, partialCount, refusedCount, foldedChainCount, nodeCountBefore,
            nodeCountAfter
        case weightByteCountBefore, weightByteCountAfter, notice, modelDigest, foldDigest
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(entries, forKey: .entries)
        try container.encode(chains, forKey: .chains)
        try container.encode(foldedChainCount, forKey: .foldedChainCount)
        try container.encode(foldedCount, forKey: .foldedCount)
        try container.encode(partialCount, forKey: .partialCount)
        try container.encode(refusedCount, forKey: .refusedCount)
        try container.encode(nodeCountBefore, forKey: .nodeCountBefore)
        try container.encode(nodeCountAfter, forKey: .nodeCountAfter)
        try container.encode(weightByteCountBefore, forKey: .weightByteCountBefore)
        try container.encode(weightByteCountAfter, forKey: .weightByteCountAfter)
        try container.encodeIfPresent(notice, forKey: .notice)
        try container.encodeIfPresent(modelDigest, forKey: .modelDigest)
        try container.encodeIfPresent(foldDigest, forKey: .foldDigest)
    }
}
