import Tensors

/// The proof that a folded graph computes what the original does, piece by piece.
///
/// A value that both graphs define under one name cuts both. Each piece between such values is a function of shared
/// values in either graph; the certificate says of each that differs how the two were proven equal, and by how much the
/// rounding of stored numbers may make their results differ, for all inputs.
package struct Certificate: Sendable, Encodable {
    package static let currentVersion = 1

    /// The version of this format.
    package var version = Self.currentVersion
    /// The shapes of the inputs for which the graph was followed: the model's own, and where it leaves an extent open, two
    /// of this proof's choosing where the operators take two.
    package var assumedInputs: [[String: [Int]]]
    /// Values that both graphs define and that the outputs need.
    package var sharedValueCount: Int
    /// Those whose piece is one and the same node.
    package var identicalCount: Int
    /// The pieces that differ and were proven.
    package var pieces: [PieceProof]
    /// How many different linear operators were tried out, cropped, so that what a coefficient means is what the
    /// operator's evaluation takes it for.
    package var croppedEquivalentCount = 0
    /// The pieces that could not be proven.
    package var failures: [PieceFailure]

    package var isProven: Bool { failures.isEmpty }

    /// Without the factors of rows and columns, which are most of it.
    package var withoutFactors: Certificate {
        var brief = self
        for piece in pieces.indices {
            for index in pieces[piece].coefficients.indices {
                brief.pieces[piece].coefficients[index].rowFactors = []
                brief.pieces[piece].coefficients[index].columnFactors = []
            }
        }
        return brief
    }
}

/// One piece that differs between the graphs.
package struct PieceProof: Sendable, Encodable {
    /// The value that the piece defines.
    package var value: String
    /// The shared values that it reads.
    package var inputs: [String]
    package var nodesBefore: [String]
    package var nodesAfter: [String]
    /// The weights.
    package var coefficients: [CoefficientProof]
    /// What numbers that are added, biases and shifts, make of difference.
    package var shiftError: Double
    /// The relative difference of numbers that scale and are in no weight.
    package var scaleError: Double
    /// Whether the result differs by no more than these numbers say: not where another weight or a function that is not
    /// 1-Lipschitz follows one of them inside the piece.
    var hasBound: Bool

    /// How far the results may lie apart, in real arithmetic, in terms of the folded piece's weights W and what they read.
    package var bound: String? {
        guard hasBound else { return nil }
        let relative = coefficients.map(\.relativeError).max() ?? 0
        let absolute = coefficients.map(\.absoluteErrorAtZero).max() ?? 0
        var terms: [String] = []
        if relative > 0 { terms.append("\(relative)·Σ|W||x|") }
        if absolute > 0 { terms.append("\(absolute)·Σ|x|") }
        if scaleError > 0 { terms.append("\(scaleError)·|y|") }
        if shiftError > 0 { terms.append("\(shiftError)") }
        return terms.isEmpty ? "0" : terms.joined(separator: " + ")
    }

    enum CodingKeys: String, CodingKey {
        case value, inputs, nodesBefore, nodesAfter, coefficients, shiftError, scaleError, bound
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(value, forKey: .value)
        try container.encode(inputs, forKey: .inputs)
        try container.encode(nodesBefore, forKey: .nodesBefore)
        try container.encode(nodesAfter, forKey: .nodesAfter)
        try container.encode(coefficients, forKey: .coefficients)
        try container.encode(shiftError, forKey: .shiftError)
        try container.encode(scaleError, forKey: .scaleError)
        try container.encodeIfPresent(bound, forKey: .bound)
    }
}

/// One weight of a piece, compared with its counterpart: W′[row, column, tap] = r[row]·W[row, column, tap]·q[column] but
/// for rounding.
package struct CoefficientProof: Sendable, Encodable {
    package var nodeBefore: String
    package var nodeAfter: String
    package var weightBefore: String
    package var weightAfter: String
    package var count: Int
    /// r and q before, over those after; empty: 1.
    package var rowFactors: [Double]
    package var columnFactors: [Double]
    /// The largest |W′ − rWq|, over |W′| where that is not 0.
    package var relativeError = 0.0
    /// The largest |W′ − rWq| where W′ is 0.
    package var absoluteErrorAtZero = 0.0
    /// The largest |W′ − rWq|.
    package var absoluteError = 0.0

    init(_ before: WeightView, _ after: WeightView, nodes: (before: String, after: String)) {
        nodeBefore = nodes.before
        nodeAfter = nodes.after
        weightBefore = before.name
        weightAfter = after.name
        count = after.rowCount * after.usedColumns * after.innerCount
        rowFactors = Self.ratios(before.rowScale, after.rowScale)
        columnFactors = Self.ratios(before.columnScale, after.columnScale)
    }

    private static func ratios(_ before: [Ball]?, _ after: [Ball]?) -> [Double] {
        guard let after else { return before?.map(\.center) ?? [] }
        return after.indices.map { (before?[$0].center ?? 1) / after[$0].center }
    }

    mutating func add(_ error: Double, at magnitude: Double) {
        absoluteError = max(absoluteError, error)
        if magnitude > 0 {
            relativeError = max(relativeError, error / magnitude)
        } else {
            absoluteErrorAtZero = max(absoluteErrorAtZero, error)
        }
    }

    /// The same for several coefficients: the largest error, the largest relative one where the coefficient is not 0, and the
    /// largest where it is.
    mutating func add(largest: Double, relative: Double, atZero: Double) {
        absoluteError = max(absoluteError, largest)
        relativeError = max(relativeError, relative)
        absoluteErrorAtZero = max(absoluteErrorAtZero, atZero)
    }
}

/// One piece that could not be proven.
package struct PieceFailure: Sendable, Encodable, CustomStringConvertible {
    package var value: String
    package var reason: String
    /// The node where the two differ, when it is known.
    package var node: String?
    package var nodesBefore: [String]
    package var nodesAfter: [String]

    init(
        value: String, reason: String, node: String? = nil, nodesBefore: [String] = [],
        nodesAfter: [String] = []
    ) {
        self.value = value
        self.reason = reason
        self.node = node
        self.nodesBefore = nodesBefore
        self.nodesAfter = nodesAfter
    }

    package var description: String {
        "the value '\(value)' is not proven: \(reason)" + (node.map { " (node '\($0)')" } ?? "")
    }
}
