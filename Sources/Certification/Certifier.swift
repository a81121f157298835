import Graph
import Tensors
import Threads

/// Proves that a folded graph computes what the original does, from the two graphs alone.
///
/// Constants are propagated in both, by the operators' evaluation. Then both are cut at the values that both define under
/// one name. If every such value is the same function of earlier shared values in both, then by induction over the folded
/// graph's order every shared value, and so every output, is the same function of the inputs.
package struct Certifier: Sendable {
    /// The most nodes of one piece.
    static let maximumPieceNodeCount = 2048

    /// On how many threads pieces are compared, the caller's included.
    private let threadCount: Int

    /// `threadCount` changes nothing but the time that a proof takes.
    package init(threadCount: Int = 1) { self.threadCount = threadCount }

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
        let sizes = assumed.sizes
        let outcomes = ConcurrentMap.results(count: needed.count, threadCount: threadCount) { index in
            Self.outcome(needed[index], names, sizes)
        }
        certificate.sharedValueCount = needed.count
        // What operators mean is tried out in the values' order: it depends on what was tried before.
        var oracle = StructuralOracle()
        for (name, outcome) in zip(needed, outcomes) {
            switch outcome {
            case .identical: certificate.identicalCount += 1
            case .failed(let failure): certificate.failures.append(failure)
            case .compared(let pieces, let comparison, let operators):
                do throws(Obstacle) {
                    for equivalent in operators { try oracle.check(equivalent) }
                    certificate.pieces.append(PieceProof(value: name, pieces, comparison))
                } catch {
                    certificate.failures.append(PieceFailure(value: name, error, pieces))
                }
            }
        }
        certificate.croppedEquivalentCount = oracle.count
        return certificate
    }

    /// What becomes of one shared value.
    private enum Outcome: Sendable {
        /// The same node of the same values defines it in both graphs.
        case identical
        case failed(PieceFailure)
        /// With the linear operators of both pieces, cropped.
        case compared((before: Piece, after: Piece), FormComparison, [CroppedEquivalent])
    }

    private static func outcome(
        _ name: String, _ names: (before: [String: String], after: [String: String]),
        _ sizes: [AssumedInputs.Size]
    ) -> Outcome {
        let sides = sizes[0]
        if sides.before.isIdentical(to: sides.after, at: name) { return .identical }
        let pieces: (before: Piece, after: Piece)
        do throws(Obstacle) {
            pieces = (
                try sides.before.piece(of: name, cutting: names.before),
                try sides.after.piece(of: name, cutting: names.after)
            )
        } catch {
            return .failed(PieceFailure(value: name, error, nil))
        }
        do throws(Obstacle) {
            let (comparison, operators) = try compare(pieces, at: name, sizes)
            return .compared(pieces, comparison, operators)
        } catch {
            // The pieces may differ by channels that are constant.
            do throws(Obstacle) {
                let (comparison, operators) = try compare(
                    pieces, at: name, sizes, droppingConstantChannels: true)
                return .compared(pieces, comparison, operators)
            } catch _ {
                return .failed(PieceFailure(value: name, error, pieces))
            }
        }
    }

    private static func compare(
        _ pieces: (before: Piece, after: Piece), at name: String, _ sizes: [AssumedInputs.Size],
        droppingConstantChannels drops: Bool = false
    ) throws(Obstacle) -> (FormComparison, [CroppedEquivalent]) {
        var comparison = FormComparison()
        var operators: [CroppedEquivalent] = []
        for side in sizes {
            try side.before.requireSameType(as: side.after, at: name)
            let earlier = comparison
            comparison = FormComparison(after: earlier)
            let before = try side.before.form(of: pieces.before, droppingConstantChannels: drops)
            let after = try side.after.form(of: pieces.after, droppingConstantChannels: drops)
            try comparison.compare(before, after)
            comparison.cover(earlier)
            operators += CroppedEquivalent.ofAll(before) + CroppedEquivalent.ofAll(after)
        }
        return (comparison, operators)
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
