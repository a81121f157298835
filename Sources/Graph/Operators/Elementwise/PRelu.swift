import Tensors

/// x, below 0 slope·x.
///
/// Inputs: X; slope, of X's element type and broadcast to X. Outputs: Y, shaped as X. Types: floating and integers.
/// Source: He et al. 2015; ONNX PRelu-7, 9, 16.
package struct PRelu: Operator {
    package static let type = "PRelu"

    package init(_ attributes: inout AttributeReader) {}

    package var inputCount: ClosedRange<Int> { 2...2 }

    package func inferOutputs(_ inputs: [ValueInfo?], outputCount: Int) throws(GraphError) -> [ValueInfo] {
        let (x, slope) = (try required(inputs, 0, "X"), try required(inputs, 1, "slope"))
        let type = try commonType(x, "X", slope, "slope")
        try requireNumbers(ValueInfo(type, nil), "X")
        try requireBroadcast(slope.dimensions, "slope", to: x.dimensions)
        return [try output(type, x.dimensions)]
    }

    package func evaluate(_ inputs: [ExactTensor?], outputCount: Int) throws(GraphError) -> [ExactTensor] {
        let shape = try outputShape(inputs)
        let x = try tensor(inputs, 0, "X")
        let slope = try tensor(inputs, 1, "slope").broadcast(to: shape)
        if let values = x.reals, let slopes = slope.reals {
            let result = values.indices.map { values[$0] < 0 ? slopes[$0] * values[$0] : values[$0] }
            return [ExactTensor(reals: result, shape: shape, elementType: x.elementType)]
        }
        let (values, slopes) = (try integers([x], 0, "X"), try integers([slope], 0, "slope"))
        let isUnsigned = x.elementType.isUnsigned
        let result = values.indices.map {
            !isUnsigned && values[$0] < 0 ? slopes[$0] &* values[$0] : values[$0]
        }
        return [ExactTensor(integers: result, shape: shape, elementType: x.elementType)]
    }
}
