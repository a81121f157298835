import Tensors

/// The parts of data that tuples of indices choose.
///
/// Inputs: data […batch, …], any type; indices, int64 […batch, …, width], each tuple for the width axes of data after the
/// batch's. Outputs: output, indices' shape without width, then data's axes that no tuple chooses on. Attributes:
/// `batch_dims` (0, since 12). Source: ONNX GatherND-11, 12, 13.
package struct GatherND: Operator {
    package static let type = "GatherND"

    package let batchRank: Int

    package init(_ attributes: inout AttributeReader) throws(GraphError) {
        batchRank =
            attributes.opset >= 12
            ? try attributes.integer("batch_dims", default: 0, in: 0...AttributeReader.maximumExtent) : 0
    }

    package var inputCount: ClosedRange<Int> { 2...2 }

    package func inferOutputs(_ inputs: [ValueInfo?], outputCount: Int) throws(GraphError) -> [ValueInfo] {
        let (data, indices) = (try required(inputs, 0, "data"), try required(inputs, 1, "indices"))
        return [try output(data.elementType, tupleShape(indices, data, batchRank: batchRank))]
    }

    package func evaluate(_ inputs: [ExactTensor?], outputCount: Int) throws(GraphError) -> [ExactTensor] {
        let target = try outputShape(inputs)
        let data = try tensor(inputs, 0, "data")
        let offsets = try tupleOffsets(
            tensor(inputs, 1, "indices"), in: data.shape, batchRank: batchRank, count: target.count)
        return [data.taken(at: offsets, to: target)]
    }
}
