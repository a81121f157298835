import Tensors

/// x + bias below −lambd, x − bias above lambd, 0 between.
///
/// Inputs: input, any number type; integers are computed as reals and truncated. Outputs: output, shaped as input.
/// Attributes: `lambd` (0.5), `bias` (0). Source: ONNX Shrink-9.
package struct Shrink: Operator {
    package static let type = "Shrink"

    package let threshold: Double
    package let bias: Double

    package init(_ attributes: inout AttributeReader) throws(GraphError) {
        threshold = Double(try attributes.real("lambd", default: 0.5))
        bias = Double(try attributes.real("bias", default: 0))
    }

    package var inputCount: ClosedRange<Int> { 1...1 }

    package func inferOutputs(_ inputs: [ValueInfo?], outputCount: Int) throws(GraphError) -> [ValueInfo] {
        let input = try required(inputs, 0, "input")
        try requireNumbers(input, "input")
        return [try output(input.elementType, input.dimensions)]
    }

    package func evaluate(_ inputs: [ExactTensor?], outputCount: Int) throws(GraphError) -> [ExactTensor] {
        let shape = try outputShape(inputs)
        let input = try tensor(inputs, 0, "input")
        switch input.elements {
        case .reals(let values):
            return [
                ExactTensor(
                    reals: values.map { value(at: $0) }, shape: shape, elementType: input.elementType)
            ]
        case .integers(let values):
            let order = IntegerOrder(input.elementType)
            let shrunk = values.map { value(at: order.double($0)) }
            return [
                ExactTensor(reals: shrunk, shape: shape, elementType: .float64)
                    .truncated(to: input.elementType)
            ]
        }
    }

    private func value(at x: Double) -> Double {
        if x < -threshold { return x + bias }
        return x > threshold ? x - bias : 0
    }
}
