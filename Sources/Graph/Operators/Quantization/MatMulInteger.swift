import Tensors

/// A matrix product of 8-bit integers, in 32-bit integers.
///
/// Inputs: A and B, int8 or uint8; a_zero_point and b_zero_point (optional, 0), of their types: see `IntegerProduct`.
/// Outputs: Y, int32. Shapes: see `MatMul`. Source: ONNX MatMulInteger-10.
package struct MatMulInteger: Operator {
    package static let type = "MatMulInteger"

    package init(_ attributes: inout AttributeReader) {}

    package var inputCount: ClosedRange<Int> { 2...4 }

    package func inferOutputs(_ inputs: [ValueInfo?], outputCount: Int) throws(GraphError) -> [ValueInfo] {
        let (a, b) = (try required(inputs, 0, "A"), try required(inputs, 1, "B"))
        try requireType(a, "A", .int8, .uint8)
        try requireType(b, "B", .int8, .uint8)
        if let zeroPoint = try optional(inputs, 2, "a_zero_point") {
            _ = try commonType(a, "A", zeroPoint, "a_zero_point")
            try IntegerProduct.check(zeroPoint, "a_zero_point", for: a, .left, of: self)
        }
        if let zeroPoint = try optional(inputs, 3, "b_zero_point") {
            _ = try commonType(b, "B", zeroPoint, "b_zero_point")
            try IntegerProduct.check(zeroPoint, "b_zero_point", for: b, .right, of: self)
        }
        return [try output(.int32, IntegerProduct.infer(a, b, of: self))]
    }

    package func evaluate(_ inputs: [ExactTensor?], outputCount: Int) throws(GraphError) -> [ExactTensor] {
        let shape = try outputShape(inputs)
        let sums = try IntegerProduct.sums(
            tensor(inputs, 0, "A"), inputs.count > 2 ? inputs[2] : nil, tensor(inputs, 1, "B"),
            inputs.count > 3 ? inputs[3] : nil, of: self)
        return [sums.truncated(to: .int32).reshaped(to: shape)]
    }
}

/// A matrix product of quantized tensors, quantized.
///
///     y = round(Σ (a − a_zero_point)·(b − b_zero_point) · a_scale·b_scale/y_scale) + y_zero_point
///
/// Inputs: a, a_scale, a_zero_point, b, b_scale, b_zero_point, y_scale, y_zero_point; a, b and y are int8 or uint8, as
/// their zero points; scales and zero points of a and b: see `IntegerProduct`; y's are one. Outputs: y. Shapes: see
/// `MatMul`. Source: ONNX QLinearMatMul-10, 21.
package struct QLinearMatMul: Operator {
    package static let type = "QLinearMatMul"

    package init(_ attributes: inout AttributeReader) {}

    package var inputCount: ClosedRange<Int> { 8...8 }

    package func inferOutputs(_ inputs: [ValueInfo?], outputCount: Int) throws(GraphError) -> [ValueInfo] {
        let (a, b) = (try required(inputs, 0, "a"), try required(inputs, 3, "b"))
        try checkOperand(a, "a", .left, inputs, scaleIndex: 1)
        try checkOperand(b, "b", .right, inputs, scaleIndex: 4)
        let (scale, zeroPoint) = (
            try required(inputs, 6, "y_scale"), try required(inputs, 7, "y_zero_point")
        )
        try requireFloating(scale, "y_scale")
        try requireOneElement(scale, "y_scale")
        try requireType(zeroPoint, "y_zero_point", .int8, .uint8)
        try requireOneElement(zeroPoint, "y_zero_point")
        return [try output(zeroPoint.elementType, IntegerProduct.infer(a, b, of: self))]
    }

    package func evaluate(_ inputs: [ExactTensor?], outputCount: Int) throws(GraphError) -> [ExactTensor] {
        let shape = try outputShape(inputs)
        let sums = try IntegerProduct.sums(
            tensor(inputs, 0, "a"), tensor(inputs, 2, "a_zero_point"), tensor(inputs, 3, "b"),
            tensor(inputs, 5, "b_zero_point"), of: self)
        let left = try IntegerProduct.matrix(tensor(inputs, 1, "a_scale"), .left, of: self)
        let right = try IntegerProduct.matrix(tensor(inputs, 4, "b_scale"), .right, of: self)
        let leftScales = try reals([left.broadcast(to: sums.shape)], 0, "a_scale")
        let rightScales = try reals([right.broadcast(to: sums.shape)], 0, "b_scale")
        let zeroPoint = try tensor(inputs, 7, "y_zero_point")
        guard let outputScale = try reals(inputs, 6, "y_scale").first,
            let move = try integers(inputs, 7, "y_zero_point").first
        else { throw error("y_scale or y_zero_point has no element") }
        let quantizer = Quantizer(zeroPoint.elementType)
        let result = (sums.reals ?? []).enumerated().map { index, sum in
            quantizer.quantized(
                sum * (leftScales[index] * rightScales[index] / outputScale), zeroPoint: move)
        }
        return [ExactTensor(integers: result, shape: shape, elementType: zeroPoint.elementType)]
    }

    /// `inputs` has the scale at `scaleIndex` and the zero point after it.
    private func checkOperand(
        _ operand: ValueInfo, _ name: String, _ side: IntegerProduct.Side, _ inputs: [ValueInfo?],
        scaleIndex: Int
    ) throws(GraphError) {
        try requireType(operand, name, .int8, .uint8)
        let scale = try required(inputs, scaleIndex, "\(name)_scale")
        let zeroPoint = try required(inputs, scaleIndex + 1, "\(name)_zero_point")
        try requireFloating(scale, "\(name)_scale")
        _ = try commonType(operand, name, zeroPoint, "\(name)_zero_point")
        try IntegerProduct.check(scale, "\(name)_scale", for: operand, side, of: self)
        try IntegerProduct.check(zeroPoint, "\(name)_zero_point", for: operand, side, of: self)
    }
}
