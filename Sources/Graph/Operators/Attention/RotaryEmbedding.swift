import Tensors

/// Rotates pairs of a vector's elements by angles that depend on its position.
///
///     (x, y) → (x·cos − y·sin, x·sin + y·cos)
///
/// Inputs: X [N, heads, L, size] or [N, L, heads·size], floating; cos_cache and sin_cache [positions, rotated/2] with
/// position_ids (int64 [N, L]), else [N, L, rotated/2]. Outputs: Y, shaped as X.
/// Attributes: `rotary_embedding_dim` (0: all of a head; the first elements of each rotate), `interleaved` (0: pairs are
/// an element of the first and one of the second half; 1: neighbours), `num_heads` (for X of rank 3).
/// Source: Su et al. 2021; ONNX RotaryEmbedding-23.
package struct RotaryEmbedding: Operator {
    package static let type = "RotaryEmbedding"

    private let isInterleaved: Bool
    private let rotatedSize: Int
    private let headCount: Int?

    package init(_ attributes: inout AttributeReader) throws(GraphError) {
        isInterleaved = try attributes.flag("interleaved", default: false)
        let extents = 0...AttributeReader.maximumExtent
        rotatedSize = try attributes.integer("rotary_embedding_dim", default: 0, in: extents)
        // Exporters state 0 for an input of rank 4.
        let count = try attributes.integer("num_heads", default: 0, in: extents)
        headCount = count == 0 ? nil : count
    }

    package var inputCount: ClosedRange<Int> { 3...4 }

    package func inferOutputs(_ inputs: [ValueInfo?], outputCount: Int) throws(GraphError) -> [ValueInfo] {
        let x = try required(inputs, 0, "X")
        let caches = [
            (try required(inputs, 1, "cos_cache"), "cos_cache"),
            (try required(inputs, 2, "sin_cache"), "sin_cache"),
        ]
        try requireFloating(x, "X")
        try requireRank(x, "X", 3...4)
        let positions = try optional(inputs, 3, "position_ids")
        var type = x.elementType
        for (cache, name) in caches {
            type = try commonType(ValueInfo(type, nil), "X", cache, name)
            try requireRank(cache, name, positions == nil ? 3 : 2)
        }
        if let positions {
            try requireType(positions, "position_ids", .int64)
            try requireRank(positions, "position_ids", 2)
        }
        guard let dimensions = x.dimensions else { return [ValueInfo(type, nil)] }
        let lengthAxis = dimensions.count - 2
        let rows = [dimensions[0], dimensions.count == 3 ? dimensions[1] : dimensions[lengthAxis]]
        let half = try rotatedExtent(dimensions).map { Dimension.known($0 / 2) } ?? .unknown
        for (cache, name) in caches {
            let expected = positions == nil ? rows + [half] : [.unknown, half]
            try require(cache, name, expected)
        }
        if let positions { try require(positions, "position_ids", rows) }
        return [try output(type, dimensions)]
    }

    package func evaluate(_ inputs: [ExactTensor?], outputCount: Int) throws(GraphError) -> [ExactTensor] {
        let shape = try outputShape(inputs)
        var values = try reals(inputs, 0, "X")
        let (cosines, sines) = (try reals(inputs, 1, "cos_cache"), try reals(inputs, 2, "sin_cache"))
        let dimensions = shape.dimensions.map(Dimension.known)
        let isPacked = shape.rank == 3
        let heads = isPacked ? headCount ?? 1 : shape[1]
        let length = shape[isPacked ? 1 : 2]
        let size = isPacked ? shape[2] / heads : shape[3]
        let half = (try rotatedExtent(dimensions) ?? 0) / 2
        let rows = try cacheRows(inputs, count: shape[0] * length)
        for vector in 0..<(values.isEmpty ? 0 : values.count / size) {
            // Vectors lie as [N, L, heads] or as [N, heads, L].
            let row = isPacked ? vector / heads : vector / (heads * length) * length + vector % length
            for pair in 0..<half {
                let first = vector * size + (isInterleaved ? 2 * pair : pair)
                let second = first + (isInterleaved ? 1 : half)
                let (x, y) = (values[first], values[second])
                let (cosine, sine) = (cosines[rows[row] * half + pair], sines[rows[row] * half + pair])
                values[first] = x * cosine - y * sine
                values[second] = x * sine + y * cosine
            }
        }
        return [
            ExactTensor(reals: values, shape: shape, elementType: try tensor(inputs, 0, "X").elementType)
        ]
    }

    /// How many elements of a head rotate, when it is known.
    private func rotatedExtent(_ dimensions: [Dimension]) throws(GraphError) -> Int? {
        var size = dimensions[dimensions.count - 1].value
        if dimensions.count == 3 {
            guard let headCount else { throw error("X has rank 3, num_heads is not stated") }
            if let whole = size {
                guard whole.isMultiple(of: headCount) else {
                    throw error("X has vectors of \(whole), they cannot be divided into \(headCount) heads")
                }
                size = whole / headCount
            }
        }
        let rotated = rotatedSize == 0 ? size : rotatedSize
        if let rotated, !rotated.isMultiple(of: 2) || rotated > size ?? rotated {
            throw error("\(rotated) elements of a head of \(size ?? rotated) rotate, expected an even number")
        }
        return rotated
    }

    /// The row of the caches for each position of each image.
    private func cacheRows(_ inputs: [ExactTensor?], count: Int) throws(GraphError) -> [Int] {
        guard inputs.count > 3, inputs[3] != nil else { return Array(0..<count) }
        let available = min(
            try tensor(inputs, 1, "cos_cache").shape[0], try tensor(inputs, 2, "sin_cache").shape[0])
        var rows: [Int] = []
        for position in try integers(inputs, 3, "position_ids") {
            guard (0..<Int64(available)).contains(position) else {
                throw error("a position is \(position), the caches have \(available)")
            }
            rows.append(Int(position))
        }
        return rows
    }

    private func require(_ info: ValueInfo, _ name: String, _ expected: [Dimension]) throws(GraphError) {
        guard let dimensions = info.dimensions else { return }
        for (axis, (own, goal)) in zip(dimensions, expected).enumerated() where own.unified(with: goal) == nil
        {
            throw error("\(name) has an extent of \(own) on axis \(axis), expected \(goal)")
        }
    }
}
