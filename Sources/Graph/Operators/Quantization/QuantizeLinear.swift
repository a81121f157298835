import Tensors

/// Integers for reals: round(x/y_scale) + y_zero_point, held to the integer type's range.
///
/// Inputs: x, floating or int32; y_scale and y_zero_point (optional, 0): see `Granularity`. Outputs: y, shaped as x, of
/// the zero point's type, else of `output_dtype`, else uint8; 8- or 16-bit integers. Attributes: those of `Granularity`;
/// `output_dtype` (since 21); `precision` (since 23: the type in which is divided, the scale's by default); `saturate`
/// (since 19) concerns 8-bit floats alone, which are refused. Source: ONNX QuantizeLinear-10, 13, 19, 21, 23, 24, 25.
package struct QuantizeLinear: Operator {
    package static let type = "QuantizeLinear"

    private let granularity: Granularity
    private let outputType: ElementType?
    private let precision: ElementType?

    package init(_ attributes: inout AttributeReader) throws(GraphError) {
        granularity = try Granularity(&attributes)
        if attributes.opset >= 19 { attributes.ignore("saturate") }
        outputType = attributes.opset >= 21 ? try attributes.elementType("output_dtype") : nil
        precision = attributes.opset >= 23 ? try attributes.elementType("precision") : nil
        if let outputType, !Quantizer.types.contains(outputType) {
            throw .attribute(
                Self.type, name: "output_dtype", reason: "is \(outputType), expected an 8- or 16-bit integer")
        }
        if let precision, !precision.isFloatingPoint {
            throw .attribute(
                Self.type, name: "precision", reason: "is \(precision), expected a floating type")
        }
    }

    package var inputCount: ClosedRange<Int> { 2...3 }

    package func inferOutputs(_ inputs: [ValueInfo?], outputCount: Int) throws(GraphError) -> [ValueInfo] {
        let (x, scale) = (try required(inputs, 0, "x"), try required(inputs, 1, "y_scale"))
        let zeroPoint = try optional(inputs, 2, "y_zero_point")
        try requireType(x, "x", .float32, .float16, .bfloat16, .float64, .int32)
        try requireType(scale, "y_scale", .float32, .float16, .bfloat16, .float64, .int32)
        try granularity.check(scale, "y_scale", for: x, of: self)
        var type = outputType ?? .uint8
        if let zeroPoint {
            try requireType(zeroPoint, "y_zero_point", .int8, .uint8, .int16, .uint16)
            try granularity.check(zeroPoint, "y_zero_point", for: x, of: self)
            if let outputType, let actual = zeroPoint.elementType, outputType != actual {
                throw error("y_zero_point has element type \(actual), output_dtype says \(outputType)")
            }
            guard let actual = zeroPoint.elementType ?? outputType else {
                return [ValueInfo(nil, x.dimensions)]
            }
            type = actual
        }
        return [try output(type, x.dimensions)]
    }

    package func evaluate(_ inputs: [ExactTensor?], outputCount: Int) throws(GraphError) -> [ExactTensor] {
        let shape = try outputShape(inputs)
        let scale = try tensor(inputs, 1, "y_scale")
        let zeroPoint = inputs.count > 2 ? inputs[2] : nil
        // The specification divides in one floating type, so the quotient is rounded to it before it becomes an integer.
        let divisionType = precision ?? (scale.elementType.isFloatingPoint ? scale.elementType : .float64)
        let dividends = try reals([try tensor(inputs, 0, "x").converted(to: divisionType)], 0, "x")
        let divisors = try reals(
            [granularity.expanded(scale.converted(to: divisionType), to: shape, of: self)], 0, "y_scale")
        let quotients = ExactTensor(
            reals: dividends.indices.map { dividends[$0] / divisors[$0] }, shape: shape,
            elementType: divisionType
        ).rounded
        let zeroPoints = try zeroPoint.map { (tensor) throws(GraphError) in
            try integers([granularity.expanded(tensor, to: shape, of: self)], 0, "y_zero_point")
        }
        let type = zeroPoint?.elementType ?? outputType ?? .uint8
        let quantizer = Quantizer(type)
        let result = (quotients.reals ?? []).enumerated().map { index, quotient in
            quantizer.quantized(quotient, zeroPoint: zeroPoints?[index] ?? 0)
        }
        return [ExactTensor(integers: result, shape: shape, elementType: type)]
    }
}
