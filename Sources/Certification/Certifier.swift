import Graph
import Tensors

/// Proves that a folded graph computes what the original does, from the two graphs alone.
///
/// Constants are propagated in both, by the operators' evaluation. Then both are cut at the values that both define under
/// one name. If every such value is the same function of earlier shared values in both, then by induction over the folded
/// graph's order every shared value, and so every output, is the same function of the inputs.
package struct Certifier: Sendable {
    /// The most nodes of one piece.
    static let maximumPieceNodeCount = 2048

    package init() {}

    /// Throws the operators' errors for a graph that is not valid as it stands.
    package func certify(original: Graph, folded: Graph) throws(GraphError) -> Certificate {
        let before = try Self.prepared(original)
        let after = try Self.prepared(folded)
        let assumed = try AssumedInputs(before, after)
        var certificate = Certificate(
            assumedInputs: assumed.sizes.map { $0.shapes.mapValues(\.dimensions) }, sharedValueCount: 0,
            identicalCount: 0, pieces: [], failures: InterfaceComparison(before, after).failures)
        guard let sides = assumed.sizes.first else { return certificate }
        certificate.failures += sides.before.outputFailures(besides: sides.after)
        let needed = sides.after.needed(
            cutting: sides.before.definedNames.intersection(sides.after.definedNames))
        // Only what is proven itself may stand for its value in another proof.
        let names = (
            before: sides.before.sharedNames(Set(needed)), after: sides.after.sharedNames(Set(needed))
        )
        var oracle = StructuralOracle()
        for name in needed {
            certificate.sharedValueCount += 1
            if sides.before.isIdentical(to: sides.after, at: name) {
                certificate.identicalCount += 1
                continue
            }
            let pieces: (before: Piece, after: Piece)
            do throws(Obstacle) {
                pieces = (
                    try sides.before.piece(of: name, cutting: names.before),
                    try sides.after.piece(of: name, cutting: names.after)
                )
            } catch {
                certificate.failures.append(PieceFailure(value: name, error, nil))
                continue
            }
            do throws(Obstacle) {
                let comparison: FormComparison
                do throws(Obstacle) {
                    comparison = try Self.compare(pieces, at: name, assumed.sizes, &oracle)
                } catch {
                    // The pieces may differ by channels that are constant.
                    do throws(Obstacle) {
                        comparison = try Self.compare(
                            pieces, at: name, assumed.sizes, &oracle, droppingConstantChannels: true)
                    } catch _ {
                        throw error
                    }
                }
                certificate.pieces.append(PieceProof(value: name, pieces, comparison))
            } catch {
                certificate.failures.append(PieceFailure(value: name, error, pieces))
            }
        }
        certificate.croppedEquivalentCount = oracle.count
        return certificate
    }

    private static func compare(
        _ pieces: (before: Piece, after: Piece), at name: String, _ sizes: [AssumedInputs.Size],
        _ oracle: inout StructuralOracle, droppingConstantChannels drops: Bool = false
    ) throws(Obstacle) -> FormComparison {
        var comparison = FormComparison()
        for side in sizes {
            try side.before.requireSameType(as: side.after, at: name)
            let earlier = comparison
            comparison = FormComparison(after: earlier)
            let before = try side.before.form(of: pieces.before, droppingConstantChannels: drops)
            let after = try side.after.form(of: pieces.after, droppingConstantChannels: drops)
            try comparison.compare(before, after)
            comparison.cover(earlier)
            try oracle.check(before)
            try oracle.check(after)
        }
        return comparison
    }

    private static func prepared(_ graph: Graph) throws(GraphError) -> Graph {
        try ConstantPropagation().run(BranchInlining().run(graph))
    }
}

extension PieceProof {
    fileprivate init(value: String, _ pieces: (before: Piece, after: Piece), _ comparison: FormComparison) {
        self.init(
            value: value, inputs: pieces.after.leaves.values.sorted(),
            nodesBefore: pieces.before.nodes.map(\.name), nodesAfter: pieces.after.nodes.map(\.name),
            coefficients: comparison.coefficients, shiftError: comparison.shiftError,
            scaleError: comparison.scaleError, hasBound: comparison.hasBound)
    }
}

extension PieceFailure {
    fileprivate init(value: String, _ obstacle: Obstacle, _ pieces: (before: Piece, after: Piece)?) {
        self.init(
            value: value, reason: obstacle.reason,
            node: obstacle.node ?? pieces?.after.nodes.last?.name,
            nodesBefore: pieces?.before.nodes.map(\.name) ?? [],
            nodesAfter: pieces?.after.nodes.map(\.name) ?? [])
    }
}
