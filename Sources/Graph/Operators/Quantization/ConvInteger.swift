import Tensors

/// A convolution of 8-bit integers, in 32-bit integers.
///
/// Inputs: x, int8 or uint8; w, int8 or uint8; x_zero_point (optional, 0), one; w_zero_point (optional, 0), one or one an
/// output channel. Outputs: y, int32. Shapes and attributes: see `Conv`; the padding is x's zero point.
/// Source: ONNX ConvInteger-10.
package struct ConvInteger: Operator {
    package static let type = "ConvInteger"

    private let convolution: IntegerConvolution

    package init(_ attributes: inout AttributeReader) throws(GraphError) {
        convolution = try IntegerConvolution(&attributes)
    }

    package var inputCount: ClosedRange<Int> { 2...4 }

    package func inferOutputs(_ inputs: [ValueInfo?], outputCount: Int) throws(GraphError) -> [ValueInfo] {
        let dimensions = try convolution.infer(
            x: required(inputs, 0, "x"), xZeroPoint: optional(inputs, 2, "x_zero_point"),
            w: required(inputs, 1, "w"), wZeroPoint: optional(inputs, 3, "w_zero_point"), of: self)
        return [try output(.int32, dimensions)]
    }

    package func evaluate(_ inputs: [ExactTensor?], outputCount: Int) throws(GraphError) -> [ExactTensor] {
        let shape = try outputShape(inputs)
        let sums = try convolution.sums(
            x: tensor(inputs, 0, "x"), xZeroPoint: inputs.count > 2 ? inputs[2] : nil,
            w: tensor(inputs, 1, "w"), wZeroPoint: inputs.count > 3 ? inputs[3] : nil, of: self)
        let exact = ExactTensor(reals: sums, shape: shape, elementType: .float64)
        return [exact.truncated(to: .int32)]
    }
}

/// A convolution of quantized tensors, quantized.
///
///     y = round((Σ (x − x_zero_point)·(w − w_zero_point) + B)·x_scale·w_scale/y_scale) + y_zero_point
///
/// Inputs: x, x_scale, x_zero_point, w, w_scale, w_zero_point, y_scale, y_zero_point, B int32 [outputChannels] (optional);
/// x, w and y are int8 or uint8, as their zero points; w's scale and zero point are one or one an output channel.
/// Outputs: y. Shapes and attributes: see `Conv`; the padding is x's zero point. Source: ONNX QLinearConv-10.
package struct QLinearConv: Operator {
    package static let type = "QLinearConv"

    private let convolution: IntegerConvolution

    package init(_ attributes: inout AttributeReader) throws(GraphError) {
        convolution = try IntegerConvolution(&attributes)
    }

    package var inputCount: ClosedRange<Int> { 8...9 }

    package func inferOutputs(_ inputs: [ValueInfo?], outputCount: Int) throws(GraphError) -> [ValueInfo] {
        let w = try required(inputs, 3, "w")
        var dimensions = try convolution.infer(
            x: required(inputs, 0, "x"), xZeroPoint: required(inputs, 2, "x_zero_point"),
            w: w, wZeroPoint: required(inputs, 5, "w_zero_point"), of: self)
        for (index, name) in [(1, "x_scale"), (6, "y_scale")] {
            try requireFloating(try required(inputs, index, name), name)
            try requireOneElement(try required(inputs, index, name), name)
        }
        let scale = try required(inputs, 4, "w_scale")
        try requireFloating(scale, "w_scale")
        try convolution.requireForChannels(scale, "w_scale", w, of: self)
        let zeroPoint = try required(inputs, 7, "y_zero_point")
        try requireType(zeroPoint, "y_zero_point", .int8, .uint8)
        try requireOneElement(zeroPoint, "y_zero_point")
        if let bias = try optional(inputs, 8, "B") {
            try requireType(bias, "B", .int32)
            let channels = try unifyChannels(w.dimensions?.first ?? .unknown, bias, "B")
            if dimensions != nil { dimensions?[1] = channels }
        }
        return [try output(zeroPoint.elementType, dimensions)]
    }

    package func evaluate(_ inputs: [ExactTensor?], outputCount: Int) throws(GraphError) -> [ExactTensor] {
        let shape = try outputShape(inputs)
        let sums = try convolution.sums(
            x: tensor(inputs, 0, "x"), xZeroPoint: tensor(inputs, 2, "x_zero_point"),
            w: tensor(inputs, 3, "w"), wZeroPoint: tensor(inputs, 5, "w_zero_point"), of: self)
        let zeroPoint = try tensor(inputs, 7, "y_zero_point")
        let move = try integers(inputs, 7, "y_zero_point").first ?? 0
        let biases = inputs.count > 8 ? inputs[8]?.integers : nil
        let weightScales = try reals(inputs, 4, "w_scale")
        guard let scale = try reals(inputs, 1, "x_scale").first,
            let outputScale = try reals(inputs, 6, "y_scale").first
        else { throw error("a scale has no element") }
        let quantizer = Quantizer(zeroPoint.elementType)
        let positions = shape.dimensions.dropFirst(2).reduce(1, *)
        let result = sums.indices.map { index in
            let channel = index / positions % shape[1]
            let multiplier = scale * weightScales[weightScales.count == 1 ? 0 : channel] / outputScale
            let sum = sums[index] + Double(biases?[channel] ?? 0)
            return quantizer.quantized(sum * multiplier, zeroPoint: move)
        }
        return [ExactTensor(integers: result, shape: shape, elementType: zeroPoint.elementType)]
    }
}
