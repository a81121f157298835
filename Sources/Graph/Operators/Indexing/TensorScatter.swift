import Tensors

/// A cache of sequences with an update written into each of them.
///
/// Inputs: past_cache [batch, …, C, …], any type; update [batch, …, S, …], S ≤ C; write_indices, int64 [batch] (optional,
/// 0): where each sequence's update begins. Outputs: present_cache, as past_cache. Attributes: `axis` (−2): that of C and
/// S, never the first; `mode` (`linear`; `circular`: positions are taken modulo C). Errors: a linear update past the
/// cache's end. Source: ONNX TensorScatter-24.
package struct TensorScatter: Operator {
    private enum Mode: String, CaseIterable { case linear, circular }

    package static let type = "TensorScatter"

    private let axis: Int
    private let mode: Mode

    package init(_ attributes: inout AttributeReader) throws(GraphError) {
        axis = try attributes.integer("axis", default: -2)
        mode = try attributes.choice("mode", default: .linear)
    }

    package var inputCount: ClosedRange<Int> { 2...3 }

    package func inferOutputs(_ inputs: [ValueInfo?], outputCount: Int) throws(GraphError) -> [ValueInfo] {
        let (cache, update) = (try required(inputs, 0, "past_cache"), try required(inputs, 1, "update"))
        let indices = try optional(inputs, 2, "write_indices")
        let type = try commonType(cache, "past_cache", update, "update")
        try requireRank(cache, "past_cache", 2...Int.max)
        if let indices {
            try requireType(indices, "write_indices", .int64)
            try requireShape(indices, "write_indices", cache.dimensions.map { [$0[0]] } ?? [.unknown])
        }
        guard let dimensions = cache.dimensions else {
            return [ValueInfo(type, update.dimensions.map { $0.map { _ in .unknown } })]
        }
        var expected = dimensions
        let axis = try sequenceAxis(rank: dimensions.count)
        expected[axis] = .unknown
        try requireShape(update, "update", expected)
        if let length = update.dimensions?[axis].value, let limit = dimensions[axis].value, length > limit {
            throw error("update has \(length) elements on axis \(axis), past_cache has \(limit)")
        }
        return [try output(type, dimensions)]
    }

    package func evaluate(_ inputs: [ExactTensor?], outputCount: Int) throws(GraphError) -> [ExactTensor] {
        let shape = try outputShape(inputs)
        let (cache, update) = (try tensor(inputs, 0, "past_cache"), try tensor(inputs, 1, "update"))
        guard update.shape.count > 0 else { return [cache] }
        let axis = try sequenceAxis(rank: shape.rank)
        let (limit, length) = (shape[axis], update.shape[axis])
        var begins = [Int](repeating: 0, count: shape[0])
        if inputs.count > 2, inputs[2] != nil {
            for (index, begin) in try integers(inputs, 2, "write_indices").enumerated() {
                let isInside = begin >= 0 && begin <= limit - length
                guard mode == .circular || isInside else {
                    throw error("an update of \(length) begins at \(begin), past_cache has \(limit) elements")
                }
                begins[index] = Int(begin) % limit + (begin < 0 ? limit : 0)
            }
        }
        let strides = shape.strides
        var offsets: [Int] = []
        offsets.reserveCapacity(update.shape.count)
        var odometer = Odometer(update.shape.dimensions)
        repeat {
            var offset = 0
            for place in strides.indices {
                let index = odometer.indices[place]
                let position = place == axis ? (begins[odometer.indices[0]] + index) % limit : index
                offset += position * strides[place]
            }
            offsets.append(offset)
        } while odometer.advance()
        return [ScatterReduction.none.scatter(update, into: cache, at: offsets)]
    }

    private func sequenceAxis(rank: Int) throws(GraphError) -> Int {
        let position = try normalized(axis, rank: rank)
        guard position > 0 else { throw error("axis is \(axis), the batch's own") }
        return position
    }
}
