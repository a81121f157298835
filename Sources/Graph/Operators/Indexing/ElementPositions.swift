import Tensors

/// Where the indices of an input point to: what the Gather and Scatter operators share.
extension Operator {
    /// An index counted from the front; negative ones count from the end.
    func position(_ index: Int64, on axis: Int, extent: Int) throws(GraphError) -> Int {
        guard index >= -Int64(extent), index < Int64(extent) else {
            throw error("an index is \(index), axis \(axis) has an extent of \(extent)")
        }
        return Int(index) + (index < 0 ? extent : 0)
    }

    /// Checks indices of one element each: of data's rank, and nowhere but on `axis` longer than data.
    @_semantics("optimize.sil.specialize.generic.never")
    func requireElementIndices(
        _ indices: ValueInfo, for data: ValueInfo, axis: Int
    ) throws(GraphError) {
        try requireType(indices, "indices", .int64, .int32)
        try requireRank(data, "data", 1...Int.max)
        if let rank = data.rank { try requireRank(indices, "indices", rank) }
        guard let rank = data.rank ?? indices.rank else { return }
        let axis = try normalized(axis, rank: rank)
        guard let extents = data.dimensions, let chosen = indices.dimensions else { return }
        for position in extents.indices where position != axis {
            if let extent = extents[position].value, let count = chosen[position].value, count > extent {
                throw error(
                    "indices has an extent of \(count) on axis \(position), data has an extent of \(extent)")
            }
        }
    }

    /// For each of `indices`, the offset in data of the element at its own place, but on `axis` where it says.
    @_semantics("optimize.sil.specialize.generic.never")
    func elementOffsets(
        _ indices: ExactTensor, in data: Shape, axis: Int
    ) throws(GraphError) -> [Int] {
        guard indices.shape.count > 0 else { return [] }
        let strides = data.strides
        let values = try integers([indices], 0, "indices")
        var offsets: [Int] = []
        offsets.reserveCapacity(values.count)
        var odometer = Odometer(indices.shape.dimensions)
        for value in values {
            var offset = try position(value, on: axis, extent: data[axis]) * strides[axis]
            for other in strides.indices where other != axis {
                offset += odometer.indices[other] * strides[other]
            }
            offsets.append(offset)
            _ = odometer.advance()
        }
        return offsets
    }

    /// The shape of what tuples of indices, along the last axis of `indices`, choose from data after `batchRank` axes
    /// that both share; `nil` when a rank is not known.
    @_semantics("optimize.sil.specialize.generic.never")
    func tupleShape(
        _ indices: ValueInfo, _ data: ValueInfo, batchRank: Int = 0
    ) throws(GraphError) -> [Dimension]? {
        try requireType(indices, "indices", .int64)
        try requireRank(data, "data", max(1, batchRank + 1)...Int.max)
        try requireRank(indices, "indices", max(1, batchRank + 1)...Int.max)
        guard let chosen = indices.dimensions, let extents = data.dimensions else { return nil }
        var result = Array(chosen.dropLast())
        for axis in 0..<batchRank {
            guard let unified = chosen[axis].unified(with: extents[axis]) else {
                throw error(
                    "indices has a batch extent of \(chosen[axis]) on axis \(axis), data has \(extents[axis])"
                )
            }
            result[axis] = unified
        }
        guard let width = chosen[chosen.count - 1].value else { return nil }
        guard width >= 1, width <= extents.count - batchRank else {
            throw error(
                "indices has tuples of \(width), data has \(extents.count - batchRank) axes to choose on")
        }
        return result + extents[(batchRank + width)...]
    }

    /// The offsets in data of every element that tuples of indices choose: see `tupleShape`, which has checked them.
    ///
    /// `count`: how many elements there are, which bounds the result.
    @_semantics("optimize.sil.specialize.generic.never")
    func tupleOffsets(
        _ indices: ExactTensor, in data: Shape, batchRank: Int = 0, count: Int
    ) throws(GraphError) -> [Int] {
        guard count > 0 else { return [] }
        let width = indices.shape[indices.shape.rank - 1]
        let values = try integers([indices], 0, "indices")
        let strides = data.strides
        let sliceCount = data.dimensions[(batchRank + width)...].reduce(1, *)
        let batchCount = data.dimensions[..<batchRank].reduce(1, *)
        let tupleCount = values.count / width
        var offsets: [Int] = []
        offsets.reserveCapacity(count)
        for tuple in 0..<tupleCount {
            // The batch axes come first in both.
            var first = tuple / (tupleCount / batchCount) * (data.count / batchCount)
            for place in 0..<width {
                let axis = batchRank + place
                first +=
                    try position(values[tuple * width + place], on: axis, extent: data[axis]) * strides[axis]
            }
            offsets += first..<first + sliceCount
        }
        return offsets
    }
}
