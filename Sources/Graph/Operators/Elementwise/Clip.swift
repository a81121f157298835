import Tensors

/// min(max(x, low), high).
///
/// Inputs: input, and since 11 min and max, scalars (optional). Outputs: shaped as input. Attributes, before 11: `min`,
/// `max`. Where min is over max the output is max. Source: ONNX Clip-6, 11, 12, 13.
package struct Clip: Operator {
    package static let type = "Clip"

    /// The bounds that opsets before 11 state as attributes.
    package let minimum: Float?
    package let maximum: Float?
    private let takesBounds: Bool

    package init(_ attributes: inout AttributeReader) throws(GraphError) {
        takesBounds = attributes.opset >= 11
        guard !takesBounds else {
            (minimum, maximum) = (nil, nil)
            return
        }
        minimum = try attributes.real("min")
        maximum = try attributes.real("max")
    }

    package var inputCount: ClosedRange<Int> { takesBounds ? 1...3 : 1...1 }

    package func inferOutputs(_ inputs: [ValueInfo?], outputCount: Int) throws(GraphError) -> [ValueInfo] {
        let x = try required(inputs, 0, "input")
        if minimum != nil || maximum != nil { try requireFloating(x, "input") }
        try requireNumbers(x, "input")
        for (index, name) in [(1, "min"), (2, "max")] {
            guard let bound = try optional(inputs, index, name) else { continue }
            _ = try commonType(x, "input", bound, name)
            if let dimensions = bound.dimensions, Dimension.product(dimensions).value ?? 1 != 1 {
                throw error("\(name) \(bound) is no scalar")
            }
        }
        return [try output(x.elementType, x.dimensions)]
    }

    package func evaluate(_ inputs: [ExactTensor?], outputCount: Int) throws(GraphError) -> [ExactTensor] {
        let shape = try outputShape(inputs)
        let x = try tensor(inputs, 0, "input")
        let low = inputs.count > 1 ? inputs[1] : nil
        let high = inputs.count > 2 ? inputs[2] : nil
        switch x.elements {
        case .reals(var values):
            let least = low?.reals?.first ?? minimum.map(Double.init)
            let greatest = high?.reals?.first ?? maximum.map(Double.init)
            for index in values.indices {
                if let least, values[index] < least { values[index] = least }
                if let greatest, values[index] > greatest { values[index] = greatest }
            }
            return [ExactTensor(reals: values, shape: shape, elementType: x.elementType)]
        case .integers(var values):
            let order = IntegerOrder(x.elementType)
            for index in values.indices {
                if let least = low?.integers?.first, order.isLess(values[index], least) {
                    values[index] = least
                }
                if let greatest = high?.integers?.first, order.isLess(greatest, values[index]) {
                    values[index] = greatest
                }
            }
            return [ExactTensor(integers: values, shape: shape, elementType: x.elementType)]
        }
    }
}
