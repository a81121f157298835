import Graph

/// What folding makes of a graph.
package struct FoldResult: Sendable {
    package let graph: Graph
    package let report: FoldReport

    package init(graph: Graph, report: FoldReport) {
        self.graph = graph
        self.report = report
    }
}

/// Folds the batch normalizations of a graph into the weights around them: constants first, then the rules in order,
/// again and again until none of them proposes anything.
///
/// Only the pipeline applies edits. It checks the graph after each, drops the edit that does not pass, and writes down
/// what became of every batch normalization.
package struct FoldPipeline: Sendable {
    /// In order: each rule runs to its own fixed point before the next one starts.
    package let rules: [any FoldRule]

    package init(rules: [any FoldRule]) { self.rules = rules }

    package static let standard = FoldPipeline(rules: [
        // Every other rule reads affines, not batch normalizations.
        RecogniseBatchNormalization(),
        RecogniseChannelArithmetic(),
        // Before any producer takes one: two in a row then round its weights once.
        ComposeAffines(),
        // Before a layer takes an affine: then its zeros are still known to be zeros.
        DropDeadChannels(),
        // Backward: no pad, stride or shape can stand in the way.
        FoldBackward(),
        // Forward last: every consumer must take part and some get a node more, where a producer takes an affine for
        // nothing.
        FoldForward(),
        FoldNormalizationForward(),
    ])

    /// The most that clones of shared weights may add, in bytes, or the weights' own size if that is more.
    package static let maximumClonedByteCount = 1 << 26

    /// The graph with the same inputs, outputs and functions, and fewer batch normalizations.
    ///
    /// `onProgress` gets the number of batch normalizations that were folded so far, each time that one was.
    /// `refusing` names nodes that stay as they are, each with the reason that the report gives.
    /// Throws the operators' errors for a graph that is not valid as it stands.
    package func run(
        _ graph: Graph, refusing: [String: String] = [:], onProgress: (Int) -> Void = { _ in }
    ) throws(GraphError) -> FoldResult {
        let inlined = try BranchInlining().run(graph)
        let prepared = try Self.prepare(inlined)
        var run = try FoldRun(
            original: inlined, prepared: prepared, excluded: refusing.mapValues { FoldRefusal($0) })
        while true {
            run.refusals = FoldRefusals()
            var changed = false
            for rule in rules {
                while run.sweep(rule, onProgress) { changed = true }
            }
            if !changed { break }
        }
        guard run.ledger.hasFolded else {
            return FoldResult(graph: prepared, report: run.ledger.report(of: prepared, run.refusals))
        }
        let folded = try SourceRestoration().run(run.graph).removingUnused()
        guard try Self.interfaces(of: graph, and: folded) else {
            let reason = "the folded graph's outputs would have other types or shapes"
            return FoldResult(graph: prepared, report: run.ledger.report(refusing: reason, prepared))
        }
        return FoldResult(graph: folded, report: run.ledger.report(of: folded, run.refusals))
    }

    /// What every rule starts from: branches that always run in the place of their If, constants propagated, identities
    /// and unused nodes removed.
    static func prepare(_ graph: Graph) throws(GraphError) -> Graph {
        try IdentityRemoval().run(ConstantPropagation().run(BranchInlining().run(graph))).removingUnused()
    }

    /// Whether the outputs' element types and known dimensions are the same.
    private static func interfaces(of before: Graph, and after: Graph) throws(GraphError) -> Bool {
        let known = try before.inferValues()
        let inferred = try after.inferValues()
        return before.outputs.allSatisfy { port in
            guard let old = known[port.name], let new = inferred[port.name] else { return false }
            return new.agrees(with: old)
        }
    }
}

extension ValueInfo {
    /// Whether this says nothing else than `known` of a value: what `known` leaves open may be known here.
    func agrees(with known: ValueInfo) -> Bool {
        guard elementType == known.elementType || known.elementType == nil else { return false }
        guard let expected = known.dimensions else { return true }
        guard let dimensions, dimensions.count == expected.count else { return false }
        return zip(dimensions, expected).allSatisfy { $0 == $1 || $1 == .unknown }
    }
}
