import Tensors

/// The extents of an attention, whichever way its inputs lay the heads out.
struct AttentionShape {
    var batch = Dimension.unknown
    var queryHeads = Dimension.unknown
    var keyHeads = Dimension.unknown
    var queries = Dimension.unknown
    /// Of K and V, and of the cache in front of them.
    var newKeys = Dimension.unknown
    var pastKeys = Dimension.known(0)
    var keySize = Dimension.unknown
    var valueSize = Dimension.unknown
    /// Whether Q, K and V are [batch, length, heads·size] rather than [batch, heads, length, size].
    var isPacked = false

    var keys: Dimension { .sum([pastKeys, newKeys]) }
}

extension Attention {
    /// What the shapes of the inputs say together; `nil` when not even the rank of Q, K and V is known.
    func shape(_ inputs: [ValueInfo?]) throws(GraphError) -> AttentionShape? {
        let (q, k) = (try required(inputs, 0, "Q"), try required(inputs, 1, "K"))
        let v = try required(inputs, 2, "V")
        guard let rank = q.rank ?? k.rank ?? v.rank else { return nil }
        var shape = AttentionShape()
        shape.isPacked = rank == 3
        if rank == 4, takesHeadsOnlyPacked, queryHeadCount != nil || keyHeadCount != nil {
            throw error("q_num_heads and kv_num_heads are stated, the inputs have rank 4")
        }
        if shape.isPacked {
            guard let queryHeadCount, let keyHeadCount else {
                throw error("the inputs have rank 3, q_num_heads and kv_num_heads are not both stated")
            }
            (shape.queryHeads, shape.keyHeads) = (.known(queryHeadCount), .known(keyHeadCount))
        }
        try read(q, "Q", rank, &shape, \.queryHeads, \.queries, \.keySize)
        try read(k, "K", rank, &shape, \.keyHeads, \.newKeys, \.keySize)
        try read(v, "V", rank, &shape, \.keyHeads, \.newKeys, \.valueSize)
        let pastKey = try optional(inputs, 4, "past_key")
        let pastValue = try optional(inputs, 5, "past_value")
        guard (pastKey == nil) == (pastValue == nil) else {
            throw error("past_key and past_value go together, one is absent")
        }
        if let pastKey, let pastValue {
            shape.pastKeys = .unknown
            try read(pastKey, "past_key", 4, &shape, \.keyHeads, \.pastKeys, \.keySize)
            try read(pastValue, "past_value", 4, &shape, \.keyHeads, \.pastKeys, \.valueSize)
        }
        if let heads = shape.queryHeads.value, let own = shape.keyHeads.value,
            own == 0 || !heads.isMultiple(of: own)
        {
            throw error("\(heads) heads of Q cannot be divided among \(own) of K")
        }
        return shape
    }

    /// Unifies one input's extents with what is known.
    private func read(
        _ info: ValueInfo, _ name: String, _ rank: Int, _ shape: inout AttentionShape,
        _ heads: WritableKeyPath<AttentionShape, Dimension>,
        _ length: WritableKeyPath<AttentionShape, Dimension>,
        _ size: WritableKeyPath<AttentionShape, Dimension>
    ) throws(GraphError) {
        try requireRank(info, name, 3...4)
        try requireRank(info, name, rank)
        guard let own = info.dimensions else { return }
        try unify(&shape, \.batch, own[0], name, "images")
        guard rank == 3 else {
            try unify(&shape, heads, own[1], name, "heads")
            try unify(&shape, length, own[2], name, "elements")
            try unify(&shape, size, own[3], name, "elements a head")
            return
        }
        try unify(&shape, length, own[1], name, "elements")
        guard let whole = own[2].value, let count = shape[keyPath: heads].value else { return }
        guard whole.isMultiple(of: count) else {
            throw error("\(name) has vectors of \(whole), they cannot be divided into \(count) heads")
        }
        try unify(&shape, size, .known(whole / count), name, "elements a head")
    }

    private func unify(
        _ shape: inout AttentionShape, _ path: WritableKeyPath<AttentionShape, Dimension>,
        _ own: Dimension, _ name: String, _ what: String
    ) throws(GraphError) {
        guard let unified = shape[keyPath: path].unified(with: own) else {
            throw error("\(name) has \(own) \(what), the inputs before it have \(shape[keyPath: path])")
        }
        shape[keyPath: path] = unified
    }
}
