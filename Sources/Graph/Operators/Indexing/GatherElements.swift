import Tensors

/// One element of data for each index: at the index's own place, but on `axis` where it says.
///
/// Inputs: data, any type, rank ≥ 1; indices, int32 or int64, of data's rank. Outputs: output, shaped as indices.
/// Attributes: `axis` (0). Source: ONNX GatherElements-11, 13.
package struct GatherElements: Operator {
    package static let type = "GatherElements"

    package let axis: Int

    package init(_ attributes: inout AttributeReader) throws(GraphError) {
        axis = try attributes.integer("axis", default: 0)
    }

    package var inputCount: ClosedRange<Int> { 2...2 }

    package func inferOutputs(_ inputs: [ValueInfo?], outputCount: Int) throws(GraphError) -> [ValueInfo] {
        let (data, indices) = (try required(inputs, 0, "data"), try required(inputs, 1, "indices"))
        try requireElementIndices(indices, for: data, axis: axis)
        return [try output(data.elementType, indices.dimensions)]
    }

    package func evaluate(_ inputs: [ExactTensor?], outputCount: Int) throws(GraphError) -> [ExactTensor] {
        let target = try outputShape(inputs)
        let data = try tensor(inputs, 0, "data")
        let offsets = try elementOffsets(
            tensor(inputs, 1, "indices"), in: data.shape, axis: normalized(axis, rank: data.shape.rank))
        return [data.taken(at: offsets, to: target)]
    }
}
