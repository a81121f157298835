import Tensors

/// data with an update for each index: at the index's own place, but on `axis` where it says.
///
/// Inputs: data, any type, rank ≥ 1; indices, int32 or int64, of data's rank; updates, shaped as indices, of data's type.
/// Outputs: output, as data. Attributes: `axis` (0), `reduction`: see `ScatterReduction`.
package protocol ElementScatter: Operator {
    var axis: Int { get }
    var reduction: ScatterReduction { get }
}

extension ElementScatter {
    package var inputCount: ClosedRange<Int> { 3...3 }

    @_semantics("optimize.sil.specialize.generic.never")
    package func inferOutputs(_ inputs: [ValueInfo?], outputCount: Int) throws(GraphError) -> [ValueInfo] {
        let (data, indices) = (try required(inputs, 0, "data"), try required(inputs, 1, "indices"))
        let updates = try required(inputs, 2, "updates")
        let type = try commonType(data, "data", updates, "updates")
        try requireElementIndices(indices, for: data, axis: axis)
        try requireShape(updates, "updates", indices.dimensions)
        return [try output(type, data.dimensions)]
    }

    @_semantics("optimize.sil.specialize.generic.never")
    package func evaluate(_ inputs: [ExactTensor?], outputCount: Int) throws(GraphError) -> [ExactTensor] {
        let shape = try outputShape(inputs)
        let data = try tensor(inputs, 0, "data")
        let offsets = try elementOffsets(
            tensor(inputs, 1, "indices"), in: shape, axis: normalized(axis, rank: shape.rank))
        return [reduction.scatter(try tensor(inputs, 2, "updates"), into: data, at: offsets)]
    }
}

/// See `ElementScatter`. Source: ONNX ScatterElements-11, 13, 16, 18.
package struct ScatterElements: ElementScatter {
    package static let type = "ScatterElements"

    package let axis: Int
    package let reduction: ScatterReduction

    package init(_ attributes: inout AttributeReader) throws(GraphError) {
        axis = try attributes.integer("axis", default: 0)
        reduction = try ScatterReduction(&attributes)
    }
}

/// ScatterElements under its first name, which exporters still wrote when it was deprecated: see `ElementScatter`.
///
/// Source: ONNX Scatter-9, 11.
package struct Scatter: ElementScatter {
    package static let type = "Scatter"

    package let axis: Int
    package var reduction: ScatterReduction { .none }

    package init(_ attributes: inout AttributeReader) throws(GraphError) {
        axis = try attributes.integer("axis", default: 0)
    }
}
