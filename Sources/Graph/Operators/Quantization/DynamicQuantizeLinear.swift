import Tensors

/// Integers for reals, with the scale and zero point that fit the elements and 0.
///
///     y_scale = (max(x, 0) − min(x, 0))/255      y_zero_point = round(−min(x, 0)/y_scale), held to 0…255
///
/// Inputs: x, float32, not empty. Outputs: y, uint8, shaped as x: see `QuantizeLinear`; y_scale, float32 []; y_zero_point,
/// uint8 []. The scale of an x of zeros is 1, as in ONNX Runtime. Source: ONNX DynamicQuantizeLinear-11.
package struct DynamicQuantizeLinear: Operator {
    package static let type = "DynamicQuantizeLinear"

    package init(_ attributes: inout AttributeReader) {}

    package var inputCount: ClosedRange<Int> { 1...1 }
    package var outputCount: ClosedRange<Int> { 1...3 }

    package func inferOutputs(_ inputs: [ValueInfo?], outputCount: Int) throws(GraphError) -> [ValueInfo] {
        let x = try required(inputs, 0, "x")
        try requireType(x, "x", .float32)
        if x.dimensions?.contains(.known(0)) == true { throw error("x has no elements") }
        let results = [
            try output(.uint8, x.dimensions), ValueInfo(.float32, []), ValueInfo(.uint8, []),
        ]
        return Array(results.prefix(max(1, outputCount)))
    }

    package func evaluate(_ inputs: [ExactTensor?], outputCount: Int) throws(GraphError) -> [ExactTensor] {
        let shape = try outputShape(inputs)
        let values = try reals(inputs, 0, "x")
        let greatest = values.reduce(0) { Max.combine($0, $1) }
        let least = values.reduce(0) { Min.combine($0, $1) }
        // Each step is float32's, since the outputs' integers follow from it.
        let scale = greatest == least ? 1 : Float(greatest - least) / 255
        let quantizer = Quantizer(.uint8)
        let zeroPoint = quantizer.quantized(Double(-Float(least) / scale), zeroPoint: 0)
        let result = values.map { quantizer.quantized(Double(Float($0) / scale), zeroPoint: zeroPoint) }
        let results = [
            ExactTensor(integers: result, shape: shape, elementType: .uint8),
            ExactTensor(reals: [Double(scale)], shape: .scalar, elementType: .float32),
            ExactTensor(integers: [zeroPoint], shape: .scalar, elementType: .uint8),
        ]
        return Array(results.prefix(max(1, outputCount)))
    }
}
