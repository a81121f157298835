import Tensors

/// The indices of the elements that are not zero, in C order.
///
/// Inputs: X, any type. Outputs: Y, int64 [rank, count]: one column an element. Source: ONNX NonZero-9, 13.
package struct NonZero: Operator {
    package static let type = "NonZero"

    package init(_ attributes: inout AttributeReader) {}

    package var inputCount: ClosedRange<Int> { 1...1 }

    package func inferOutputs(_ inputs: [ValueInfo?], outputCount: Int) throws(GraphError) -> [ValueInfo] {
        let x = try required(inputs, 0, "X")
        return [try output(.int64, [x.rank.map(Dimension.known) ?? .unknown, .unknown])]
    }

    package func evaluate(_ inputs: [ExactTensor?], outputCount: Int) throws(GraphError) -> [ExactTensor] {
        try requireFit(inputs)
        let x = try tensor(inputs, 0, "X")
        let offsets: [Int] =
            switch x.elements {
            case .reals(let values): values.indices.filter { values[$0] != 0 }
            case .integers(let values): values.indices.filter { values[$0] != 0 }
            }
        let shape = try boundedShape([x.shape.rank, offsets.count])
        var result: [Int64] = []
        result.reserveCapacity(shape.count)
        for (stride, extent) in zip(x.shape.strides, x.shape.dimensions) {
            for offset in offsets { result.append(Int64(offset / stride % extent)) }
        }
        return [ExactTensor(integers: result, shape: shape, elementType: .int64)]
    }
}
