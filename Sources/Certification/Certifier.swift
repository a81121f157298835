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
        let assumed = AssumedInputs(before, after)
        let sides = (
            before: try CutGraph(before, assumed.shapes), after: try CutGraph(after, assumed.shapes)
        )
        var certificate = Certificate(
            assumedInputs: assumed.shapes.mapValues(\.dimensions), sharedValueCount: 0, identicalCount: 0,
            pieces: [], failures: Self.interfaceFailures(before, after))
        let shared = sides.before.definedNames.intersection(sides.after.definedNames)
        for name in sides.after.needed(cutting: shared) {
            certificate.sharedValueCount += 1
            if sides.before.isIdentical(to: sides.after, at: name) {
                certificate.identicalCount += 1
                continue
            }
            var pieces: (before: Piece, after: Piece)?
            do throws(Obstacle) {
                let both = (
                    before: try sides.before.piece(of: name, cutting: shared),
                    after: try sides.after.piece(of: name, cutting: shared)
                )
                pieces = both
                certificate.pieces.append(try proof(of: name, both, sides))
            } catch {
                certificate.failures.append(
                    PieceFailure(
                        value: name, reason: error.reason, node: error.node,
                        nodesBefore: pieces?.before.nodes.map(\.name) ?? [],
                        nodesAfter: pieces?.after.nodes.map(\.name) ?? []))
            }
        }
        return certificate
    }

    private static func prepared(_ graph: Graph) throws(GraphError) -> Graph {
        try ConstantPropagation().run(BranchInlining().run(graph))
    }

    private func proof(
        of name: String, _ pieces: (before: Piece, after: Piece), _ sides: (before: CutGraph, after: CutGraph)
    ) throws(Obstacle) -> PieceProof {
        let forms = (
            before: try sides.before.form(of: pieces.before), after: try sides.after.form(of: pieces.after)
        )
        var comparison = FormComparison()
        try comparison.compare(forms.before, forms.after)
        return PieceProof(
            value: name, inputs: pieces.after.leaves.values.sorted(),
            nodesBefore: pieces.before.nodes.map(\.name),
            nodesAfter: pieces.after.nodes.map(\.name), coefficients: comparison.coefficients,
            shiftError: comparison.shiftError, scaleError: comparison.scaleError)
    }

    /// Whatever the graphs' inputs, outputs and outputs without nodes differ in.
    private static func interfaceFailures(_ before: Graph, _ after: Graph) -> [PieceFailure] {
        func failure(_ value: String, _ reason: String) -> PieceFailure {
            PieceFailure(value: value, reason: reason, node: nil, nodesBefore: [], nodesAfter: [])
        }
        guard before.inputs.map(\.name) == after.inputs.map(\.name),
            before.overridableInputs == after.overridableInputs
        else { return [failure(before.inputs.first?.name ?? "", "the graphs' inputs differ")] }
        guard before.outputs.map(\.name) == after.outputs.map(\.name) else {
            return [failure(before.outputs.first?.name ?? "", "the graphs' outputs differ")]
        }
        var failures: [PieceFailure] = []
        for name in before.overridableInputs {
            guard let one = before.constants[name], let other = after.constants[name],
                one.hasSameBytes(as: other)
            else {
                failures.append(failure(name, "the defaults of the input differ"))
                continue
            }
        }
        let inputs = Set(before.inputs.map(\.name))
        let definitions = [before, after].map { Set($0.nodes.flatMap(\.outputs).compactMap { $0 }) }
        for name in before.outputs.map(\.name) where !inputs.contains(name) {
            if definitions[0].contains(name), definitions[1].contains(name) { continue }
            guard let one = before.constants[name], let other = after.constants[name],
                one.hasSameBytes(as: other)
            else {
                failures.append(
                    failure(name, "the output is constant in one graph, or differs as a constant"))
                continue
            }
        }
        return failures
    }
}
