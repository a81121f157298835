import Certification
import Folding
import Graph
import Threads

/// A folded graph with the proof that it computes what the original does.
///
/// A fold that cannot be proven is undone: the pipeline runs again without the batch normalizations of the piece, which
/// the report then lists as refused, with what the proof met.
package struct ProvenFold: Sendable {
    package let graph: Graph
    package let report: FoldReport
    package let certificate: Certificate
    /// Of `graph`, where it was asked for.
    package let digest: String?

    /// The graph and the report without the proof.
    package var result: FoldResult { FoldResult(graph: graph, report: report) }

    /// How often the pipeline runs without what could not be proven, before all folds are undone.
    static let maximumRoundCount = 4

    /// The proof is made on `threadCount` threads, the digest beside it. Throws the operators' errors for a graph that is
    /// not valid as it stands.
    package init(
        _ original: Graph, pipeline: FoldPipeline = .standard, threadCount: Int = 1,
        makesDigest: Bool = false,
        onProgress: (Int) -> Void = { _ in }
    ) throws(GraphError) {
        let certifier = Certifier(threadCount: threadCount)
        var unproven: [String: String] = [:]
        for _ in 0..<Self.maximumRoundCount {
            let result = try pipeline.run(original, refusing: unproven, onProgress: onProgress)
            let (proof, digest) = ConcurrentPair.results(threadCount: threadCount) {
                Result { () throws(GraphError) in
                    try certifier.certify(original: original, folded: result.graph)
                }
            } _: {
                makesDigest ? GraphDigest.text(result.graph) : nil
            }
            let certificate = try proof.get()
            if certificate.isProven {
                self.init(result, certificate, digest)
                return
            }
            let known = unproven.count
            for failure in certificate.failures {
                let reason = "the fold could not be proven: \(failure.reason)"
                for name in failure.nodesBefore where unproven[name] == nil { unproven[name] = reason }
            }
            if unproven.count == known { break }
        }
        // Whatever the rules do to this graph, it runs as it was read.
        for name in original.nodes.map(\.name) where unproven[name] == nil {
            unproven[name] = "another fold of this model could not be proven"
        }
        let report = try pipeline.run(original, refusing: unproven).report
        self.init(
            FoldResult(graph: original, report: report),
            try certifier.certify(original: original, folded: original),
            makesDigest ? GraphDigest.text(original, threadCount: threadCount) : nil)
    }

    private init(_ result: FoldResult, _ certificate: Certificate, _ digest: String?) {
        graph = result.graph
        self.digest = digest
        self.certificate = certificate
        var report = result.report
        let pieces = PieceIndex(certificate)
        for index in report.entries.indices {
            report.entries[index].proof = pieces.proof(report.entries[index])
        }
        for index in report.chains.indices { report.chains[index].proof = pieces.proof(report.chains[index]) }
        self.report = report
    }
}

/// The proven pieces by the nodes that they had before.
private struct PieceIndex {
    private var pieces: [String: PieceProof] = [:]

    init(_ certificate: Certificate) {
        for piece in certificate.pieces {
            for name in piece.nodesBefore { pieces[name] = piece }
        }
    }

    func proof(_ entry: FoldReport.Entry) -> FoldReport.Proof? {
        guard entry.outcome != .refused, let piece = pieces[entry.batchNorm] else { return nil }
        return FoldReport.Proof(
            weightError: piece.coefficients.map(\.relativeError).max() ?? 0, shiftError: piece.shiftError,
            bound: piece.bound)
    }
}
