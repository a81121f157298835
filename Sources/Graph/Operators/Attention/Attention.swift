import Glibc
import Tensors

/// Scaled dot-product attention: softmax(Q·Kᵀ·scale + bias)·V, for each head.
///
/// Inputs: Q [N, heads, L, d], K [N, keyHeads, S, d], V [N, keyHeads, S, e], or all as [N, length, heads·size]; attn_mask,
/// broadcast to [N, heads, L, P + S]: `bool` (false: not attended) or floating (added); past_key [N, keyHeads, P, d] and
/// past_value [N, keyHeads, P, e], both or none; since 24 nonpad_kv_seqlen [N]: the keys that count, without past_key.
/// A mask with fewer keys than there are masks the others (since 24).
/// Outputs: Y, shaped as Q with V's vectors; present_key and present_value [N, keyHeads, P + S, …];
/// qk_matmul_output [N, heads, L, P + S]. A query that may attend to no key gives zeros.
/// Attributes: `scale` (1/√d), `is_causal` (0), `softcap` (0: none), `q_num_heads` and `kv_num_heads` (for inputs of rank
/// 3), `qk_matmul_output_mode` (0: Q·Kᵀ·scale, 1: capped, 2: with bias, 3: softmax), `softmax_precision` (the evaluation's
/// is double), since 25 `left_window_size` and `right_window_size` (−1: unbounded).
/// Source: Vaswani et al. 2017; Ainslie et al. 2023; ONNX Attention-23, 24, 25.
package struct Attention: Operator {
    package static let type = "Attention"

    let queryHeadCount: Int?
    let keyHeadCount: Int?
    let takesHeadsOnlyPacked: Bool
    private let scale: Double?
    private let softcap: Double
    private let outputMode: Int
    private let isCausal: Bool
    /// How far before and after its own position a query attends; `nil`: without bound.
    private let window: (left: Int?, right: Int?)
    private let opset: Int

    package init(_ attributes: inout AttributeReader) throws(GraphError) {
        opset = attributes.opset
        let extents = 1...AttributeReader.maximumExtent
        queryHeadCount = try attributes.integer("q_num_heads", in: extents)
        keyHeadCount = try attributes.integer("kv_num_heads", in: extents)
        takesHeadsOnlyPacked = opset >= 25
        scale = try attributes.real("scale").map(Double.init)
        softcap = Double(try attributes.real("softcap", default: 0))
        outputMode = try attributes.integer("qk_matmul_output_mode", default: 0, in: 0...3)
        isCausal = try attributes.flag("is_causal", default: false)
        if let number = try attributes.integer("softmax_precision") {
            guard let type = ElementType(onnxNumber: number), type.isFloatingPoint else {
                throw .attribute(
                    Self.type, name: "softmax_precision", reason: "is \(number), expected a floating type")
            }
        }
        guard opset >= 25 else {
            window = (nil, nil)
            return
        }
        let bounds = -1...AttributeReader.maximumExtent
        let left = try attributes.integer("left_window_size", default: -1, in: bounds)
        let right = try attributes.integer("right_window_size", default: -1, in: bounds)
        window = (left < 0 ? nil : left, right < 0 ? nil : right)
    }

    package var inputCount: ClosedRange<Int> { opset < 24 ? 3...6 : 3...7 }
    package var outputCount: ClosedRange<Int> { 1...4 }

    package func inferOutputs(_ inputs: [ValueInfo?], outputCount: Int) throws(GraphError) -> [ValueInfo] {
        let (q, v) = (try required(inputs, 0, "Q"), try required(inputs, 2, "V"))
        try requireFloating(q, "Q")
        try requireFloating(v, "V")
        _ = try commonType(q, "Q", try required(inputs, 1, "K"), "K")
        if let past = try optional(inputs, 4, "past_key") { _ = try commonType(q, "Q", past, "past_key") }
        if let past = try optional(inputs, 5, "past_value") { _ = try commonType(v, "V", past, "past_value") }
        guard let shape = try shape(inputs) else {
            let infos = [q, q, v, q].map { ValueInfo($0.elementType, nil) }
            return Array(infos.prefix(max(1, outputCount)))
        }
        try requireMasks(inputs, shape)
        let present = [shape.batch, shape.keyHeads, shape.keys]
        let y =
            shape.isPacked
            ? [shape.batch, shape.queries, .product([shape.queryHeads, shape.valueSize])]
            : [shape.batch, shape.queryHeads, shape.queries, shape.valueSize]
        var results = [try output(q.elementType, y)]
        if outputCount > 1 { results.append(try output(q.elementType, present + [shape.keySize])) }
        if outputCount > 2 { results.append(try output(v.elementType, present + [shape.valueSize])) }
        if outputCount > 3 {
            results.append(
                try output(q.elementType, [shape.batch, shape.queryHeads, shape.queries, shape.keys]))
        }
        return results
    }

    package func evaluate(_ inputs: [ExactTensor?], outputCount: Int) throws(GraphError) -> [ExactTensor] {
        let targets = try outputShapes(inputs, outputCount: outputCount)
        guard let shape = try shape(inputs.map { $0.map(ValueInfo.init) }),
            let batch = shape.batch.value, let heads = shape.queryHeads.value,
            let keyHeads = shape.keyHeads.value, let queries = shape.queries.value,
            let keys = shape.keys.value, let size = shape.keySize.value, let valueSize = shape.valueSize.value
        else { throw error("the shapes are not known") }
        let query = try unpacked(try tensor(inputs, 0, "Q"), heads: heads, isPacked: shape.isPacked)
        let key = try cached(inputs, 1, "K", past: 4, keyHeads, shape.isPacked)
        let value = try cached(inputs, 2, "V", past: 5, keyHeads, shape.isPacked)
        let bias = AttentionBias(
            mask: inputs.count > 3 ? inputs[3] : nil, extendsMask: opset >= 24,
            shape: try checkedShape([batch, heads, queries, keys]),
            validKeys: try validKeys(inputs, keys: keys), pastKeys: shape.pastKeys.value ?? 0,
            isCausal: isCausal, window: window)
        let (qs, ks) = (try reals([query], 0, "Q"), try reals([key], 0, "K"))
        let vs = try reals([value], 0, "V")
        let factor = scale ?? 1 / Double(size).squareRoot()
        var (result, products): ([Double], [Double]) = ([], [])
        for row in 0..<batch * heads * queries {
            let (headRow, position) = row.quotientAndRemainder(dividingBy: queries)
            let (image, head) = headRow.quotientAndRemainder(dividingBy: heads)
            // Neighbouring heads of Q share one of K and V.
            let base = (image * keyHeads + head / (heads / keyHeads)) * keys
            var scores = (0..<keys).map { index in
                var sum = 0.0
                for offset in 0..<size { sum += qs[row * size + offset] * ks[(base + index) * size + offset] }
                return sum * factor
            }
            let weights = weigh(&scores, bias: bias.row(image: image, head: head, query: position))
            if outputCount > 3 { products += scores }
            var sums = [Double](repeating: 0, count: valueSize)
            for (index, weight) in weights.enumerated() {
                for offset in 0..<valueSize {
                    sums[offset] += weight * vs[(base + index) * valueSize + offset]
                }
            }
            result += sums
        }
        let whole = try checkedShape([batch, heads, queries, valueSize])
        var y = ExactTensor(reals: result, shape: whole, elementType: query.elementType)
        if shape.isPacked {
            let moved = try checkedShape([batch, queries, heads, valueSize])
            y = y.transposed([0, 2, 1, 3], to: moved).reshaped(to: targets[0])
        }
        var results = [y, key, value]
        if outputCount > 3 {
            results.append(ExactTensor(reals: products, shape: targets[3], elementType: query.elementType))
        }
        return Array(results.prefix(max(1, outputCount)))
    }

    /// The softmax of one query's scores; leaves in `scores` what `qk_matmul_output_mode` asks for.
    private func weigh(_ scores: inout [Double], bias: [Double]) -> [Double] {
        var weights = softcap > 0 ? scores.map { softcap * tanh($0 / softcap) } : scores
        if outputMode == 1 { scores = weights }
        for index in weights.indices { weights[index] += bias[index] }
        if outputMode == 2 { scores = weights }
        if bias.allSatisfy({ $0 == -.infinity }) {
            weights = [Double](repeating: 0, count: weights.count)
        } else {
            let greatest = weights.reduce(-.infinity) { $0.isNaN || $0 > $1 ? $0 : $1 }
            let exponentials = weights.map { greatest == -.infinity ? 0 : exp($0 - greatest) }
            let sum = exponentials.reduce(0, +)
            weights = exponentials.map { sum == 0 ? 0 : $0 / sum }
        }
        if outputMode == 3 { scores = weights }
        return weights
    }

    private func requireMasks(_ inputs: [ValueInfo?], _ shape: AttentionShape) throws(GraphError) {
        if let mask = try optional(inputs, 3, "attn_mask") {
            if mask.elementType != .bool { try requireFloating(mask, "attn_mask") }
            try requireRank(mask, "attn_mask", 1...4)
            var keys = shape.keys
            if opset >= 24, let own = mask.dimensions?.last?.value, let all = keys.value {
                guard own <= all else { throw error("attn_mask is for \(own) keys, there are \(all)") }
                keys = .known(own)
            }
            try requireBroadcast(
                mask.dimensions, "attn_mask", to: [shape.batch, shape.queryHeads, shape.queries, keys])
        }
        guard let valid = try optional(inputs, 6, "nonpad_kv_seqlen") else { return }
        try requireType(valid, "nonpad_kv_seqlen", .int64)
        try requireRank(valid, "nonpad_kv_seqlen", 1)
        guard inputs[4] == nil else { throw error("nonpad_kv_seqlen and past_key exclude each other") }
        if let count = valid.dimensions?[0], shape.batch.unified(with: count) == nil {
            throw error("nonpad_kv_seqlen has \(count) elements, there are \(shape.batch) images")
        }
    }

    private func validKeys(_ inputs: [ExactTensor?], keys: Int) throws(GraphError) -> [Int]? {
        guard inputs.count > 6, inputs[6] != nil else { return nil }
        var result: [Int] = []
        for count in try integers(inputs, 6, "nonpad_kv_seqlen") {
            guard (0...Int64(keys)).contains(count) else {
                throw error("nonpad_kv_seqlen is \(count), there are \(keys) keys")
            }
            result.append(Int(count))
        }
        return result
    }

    /// [N, length, heads·size] as [N, heads, length, size].
    private func unpacked(
        _ tensor: ExactTensor, heads: Int, isPacked: Bool
    ) throws(GraphError) -> ExactTensor {
        guard isPacked else { return tensor }
        let (batch, length, size) = (tensor.shape[0], tensor.shape[1], tensor.shape[2] / heads)
        return tensor.reshaped(to: try checkedShape([batch, length, heads, size]))
            .transposed([0, 2, 1, 3], to: try checkedShape([batch, heads, length, size]))
    }

    /// The input behind what is cached of it.
    private func cached(
        _ inputs: [ExactTensor?], _ index: Int, _ name: String, past: Int, _ heads: Int, _ isPacked: Bool
    ) throws(GraphError) -> ExactTensor {
        let new = try unpacked(try tensor(inputs, index, name), heads: heads, isPacked: isPacked)
        guard inputs.count > past, let old = inputs[past] else { return new }
        let concat = try Concat(axis: 2).evaluate([old, new], outputCount: 1)
        return concat[0]
    }
}
