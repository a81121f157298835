import Tensors

/// Reals for integers: (x − x_zero_point)·x_scale.
///
/// Inputs: x, 8- or 16-bit integers or int32; x_scale, floating, and x_zero_point (optional, 0) of x's type: see
/// `Granularity`. Outputs: y, shaped as x, of `output_dtype`, else of the scale's type. Attributes: those of
/// `Granularity`; `output_dtype` (since 23). Source: ONNX DequantizeLinear-10, 13, 19, 21, 23, 24, 25.
package struct DequantizeLinear: Operator {
    package static let type = "DequantizeLinear"

    private let granularity: Granularity
    private let outputType: ElementType?

    package init(_ attributes: inout AttributeReader) throws(GraphError) {
        granularity = try Granularity(&attributes)
        outputType = attributes.opset >= 23 ? try attributes.elementType("output_dtype") : nil
        if let outputType, !outputType.isFloatingPoint {
            throw .attribute(
                Self.type, name: "output_dtype", reason: "is \(outputType), expected a floating type")
        }
    }

    package var inputCount: ClosedRange<Int> { 2...3 }

    package func inferOutputs(_ inputs: [ValueInfo?], outputCount: Int) throws(GraphError) -> [ValueInfo] {
        let (x, scale) = (try required(inputs, 0, "x"), try required(inputs, 1, "x_scale"))
        try requireType(x, "x", .int8, .uint8, .int16, .uint16, .int32)
        try requireFloating(scale, "x_scale")
        try granularity.check(scale, "x_scale", for: x, of: self)
        if let zeroPoint = try optional(inputs, 2, "x_zero_point") {
            _ = try commonType(x, "x", zeroPoint, "x_zero_point")
            try granularity.check(zeroPoint, "x_zero_point", for: x, of: self)
        }
        return [try output(outputType ?? scale.elementType, x.dimensions)]
    }

    package func evaluate(_ inputs: [ExactTensor?], outputCount: Int) throws(GraphError) -> [ExactTensor] {
        let shape = try outputShape(inputs)
        let scale = try tensor(inputs, 1, "x_scale")
        let values = try integers(inputs, 0, "x")
        let scales = try reals([granularity.expanded(scale, to: shape, of: self)], 0, "x_scale")
        var zeroPoints: [Int64]?
        if inputs.count > 2, let zeroPoint = inputs[2] {
            zeroPoints = try integers(
                [granularity.expanded(zeroPoint, to: shape, of: self)], 0, "x_zero_point")
        }
        let result = values.indices.map { Double(values[$0] - (zeroPoints?[$0] ?? 0)) * scales[$0] }
        return [ExactTensor(reals: result, shape: shape, elementType: outputType ?? scale.elementType)]
    }
}
