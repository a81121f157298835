import Tensors

/// data with updates of the parts that tuples of indices choose.
///
/// Inputs: data, any type, rank ≥ 1; indices, int64 […, width], each tuple for the first width axes of data; updates,
/// indices' shape without width, then data's other axes. Outputs: output, as data. Attributes: `reduction`: see
/// `ScatterReduction`. Source: ONNX ScatterND-11, 13, 16, 18.
package struct ScatterND: Operator {
    package static let type = "ScatterND"

    private let reduction: ScatterReduction

    package init(_ attributes: inout AttributeReader) throws(GraphError) {
        reduction = try ScatterReduction(&attributes)
    }

    package var inputCount: ClosedRange<Int> { 3...3 }

    package func inferOutputs(_ inputs: [ValueInfo?], outputCount: Int) throws(GraphError) -> [ValueInfo] {
        let (data, indices) = (try required(inputs, 0, "data"), try required(inputs, 1, "indices"))
        let updates = try required(inputs, 2, "updates")
        let type = try commonType(data, "data", updates, "updates")
        try requireShape(updates, "updates", tupleShape(indices, data))
        return [try output(type, data.dimensions)]
    }

    package func evaluate(_ inputs: [ExactTensor?], outputCount: Int) throws(GraphError) -> [ExactTensor] {
        let shape = try outputShape(inputs)
        let updates = try tensor(inputs, 2, "updates")
        let offsets = try tupleOffsets(tensor(inputs, 1, "indices"), in: shape, count: updates.shape.count)
        return [reduction.scatter(updates, into: try tensor(inputs, 0, "data"), at: offsets)]
    }
}
