import Tensors

/// Counts the known n-grams of token sequences.
///
/// Inputs: X [C] or [N, C], int32 or int64: tokens. Outputs: Y [M] or [N, M], float32, M the greatest of `ngram_indexes`
/// plus 1. Attributes: `mode` (`TF`: counts; `IDF`: the weight where there is any; `TFIDF`: counts times weights),
/// `pool_int64s` (the n-grams, 1-grams first), `ngram_counts` (where the n-grams of each length begin in the pool),
/// `ngram_indexes` (each n-gram's column), `weights` (a column's; 1), `min_gram_length`, `max_gram_length` and
/// `max_skip_count`: the tokens of an n-gram lie up to that many tokens apart, all at one distance. Tokens that are strings
/// are refused. Source: ONNX TfIdfVectorizer-9.
package struct TfIdfVectorizer: Operator {
    private enum Mode: String, CaseIterable, Sendable {
        case frequency = "TF"
        case presence = "IDF"
        case weightedFrequency = "TFIDF"
    }

    /// A token behind another: the tree's nodes are numbered, the root is 0.
    private struct Step: Hashable, Sendable {
        let node: Int
        let token: Int64
    }

    package static let type = "TfIdfVectorizer"

    private let mode: Mode
    private let weights: [Double]?
    private let columnCount: Int
    private let lengths: ClosedRange<Int>
    private let maximumSkipCount: Int
    private let steps: [Step: Int]
    /// The column of the n-gram that ends at a node.
    private let columns: [Int: Int]

    package init(_ attributes: inout AttributeReader) throws(GraphError) {
        mode = try attributes.choice("mode", default: Mode.frequency)
        let extents = 1...AttributeReader.maximumExtent
        let least = try attributes.integer("min_gram_length", default: 1, in: extents)
        let greatest = try attributes.integer("max_gram_length", default: 1, in: extents)
        guard least <= greatest else {
            throw .attribute(
                Self.type, name: "max_gram_length", reason: "is \(greatest), min_gram_length is \(least)")
        }
        lengths = least...greatest
        maximumSkipCount = try attributes.integer(
            "max_skip_count", default: 0, in: 0...AttributeReader.maximumExtent)
        guard let pool = try attributes.integers("pool_int64s") else {
            throw .attribute(Self.type, name: "pool_int64s", reason: "is required, strings are not known")
        }
        guard let indexes = try attributes.integers("ngram_indexes", in: 0...AttributeReader.maximumExtent),
            let last = indexes.max()
        else { throw .attribute(Self.type, name: "ngram_indexes", reason: "is required") }
        columnCount = last + 1
        weights = try attributes.reals("weights").flatMap { $0.isEmpty ? nil : $0.map(Double.init) }
        if let weights, weights.count < columnCount {
            throw .attribute(
                Self.type, name: "weights",
                reason: "has \(weights.count) numbers, there are \(columnCount) columns")
        }
        let starts = try attributes.integers("ngram_counts") ?? []
        (steps, columns) = try Self.tree(pool, starts: starts, indexes: indexes, lengths: lengths)
    }

    package var inputCount: ClosedRange<Int> { 1...1 }

    package func inferOutputs(_ inputs: [ValueInfo?], outputCount: Int) throws(GraphError) -> [ValueInfo] {
        let x = try required(inputs, 0, "X")
        try requireType(x, "X", .int64, .int32)
        try requireRank(x, "X", 1...2)
        guard let dimensions = x.dimensions else { return [ValueInfo(.float32, nil)] }
        return [try output(.float32, dimensions.dropLast() + [.known(columnCount)])]
    }

    package func evaluate(_ inputs: [ExactTensor?], outputCount: Int) throws(GraphError) -> [ExactTensor] {
        let target = try outputShape(inputs)
        let tokens = try integers(inputs, 0, "X")
        var counts = [Double](repeating: 0, count: target.count)
        let rowCount = target.count / columnCount
        for row in 0..<rowCount {
            let length = tokens.count / rowCount
            count(tokens[row * length..<(row + 1) * length]) { counts[row * columnCount + $0] += 1 }
        }
        for index in counts.indices {
            let weight = weights?[index % columnCount] ?? 1
            switch mode {
            case .frequency: break
            case .presence: counts[index] = counts[index] > 0 ? weight : 0
            case .weightedFrequency: counts[index] *= weight
            }
        }
        return [ExactTensor(reals: counts, shape: target, elementType: .float32)]
    }

    private func count(_ tokens: ArraySlice<Int64>, _ body: (_ column: Int) -> Void) {
        // A distance as long as the sequence reaches no second token.
        for distance in 1...max(1, min(maximumSkipCount + 1, tokens.count - 1)) {
            // An n-gram of one token is the same at every distance.
            let least = distance == 1 ? lengths.lowerBound : max(2, lengths.lowerBound)
            for first in tokens.indices {
                var (node, length, position) = (0, 1, first)
                while length <= lengths.upperBound, position < tokens.endIndex,
                    let next = steps[Step(node: node, token: tokens[position])]
                {
                    node = next
                    if length >= least, let column = columns[node] { body(column) }
                    length += 1
                    position += distance
                }
            }
        }
    }

    /// The n-grams of the wanted lengths as a tree.
    private static func tree(
        _ pool: [Int], starts: [Int], indexes: [Int], lengths: ClosedRange<Int>
    ) throws(GraphError) -> (steps: [Step: Int], columns: [Int: Int]) {
        var (steps, columns): ([Step: Int], [Int: Int]) = ([:], [:])
        var number = 0
        for (index, start) in starts.enumerated() {
            let end = index + 1 < starts.count ? starts[index + 1] : pool.count
            guard start >= 0, start <= end, end <= pool.count else {
                throw .attribute(
                    type, name: "ngram_counts",
                    reason: "has \(start) before \(end), the pool has \(pool.count) tokens")
            }
            let length = index + 1
            for gram in 0..<(end - start) / length {
                defer { number += 1 }
                guard lengths.contains(length) else { continue }
                guard number < indexes.count else {
                    throw .attribute(
                        type, name: "ngram_indexes",
                        reason: "has \(indexes.count) numbers, the pool has more n-grams")
                }
                var node = 0
                for token in pool[(start + gram * length)..<(start + (gram + 1) * length)] {
                    let step = Step(node: node, token: Int64(token))
                    node = steps[step] ?? steps.count + 1
                    steps[step] = node
                }
                columns[node] = indexes[number]
            }
        }
        return (steps, columns)
    }
}
