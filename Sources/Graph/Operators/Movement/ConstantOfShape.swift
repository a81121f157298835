import Tensors

/// A tensor of one value everywhere.
///
/// Inputs: input, int64 [rank]: the shape. Outputs: output. Attributes: `value`, one element of any type (float32 0).
/// Source: ONNX ConstantOfShape-9, 20, 21, 23, 24, 25.
package struct ConstantOfShape: Operator {
    package static let type = "ConstantOfShape"

    private let value: ExactTensor

    package init(_ attributes: inout AttributeReader) throws(GraphError) {
        guard let value = try attributes.tensor("value") else {
            value = ExactTensor(reals: [0], shape: .scalar, elementType: .float32)
            return
        }
        guard value.shape.count == 1 else {
            throw .attribute(
                Self.type, name: "value", reason: "has \(value.shape.count) elements, expected 1")
        }
        self.value = ExactTensor(value).reshaped(to: .scalar)
    }

    package var inputCount: ClosedRange<Int> { 1...1 }

    package func inferOutputs(_ inputs: [ValueInfo?], outputCount: Int) throws(GraphError) -> [ValueInfo] {
        let shape = try required(inputs, 0, "input")
        try requireType(shape, "input", .int64)
        try requireRank(shape, "input", 1)
        guard let dimensions = shape.elements else { return [ValueInfo(value.elementType, nil)] }
        for case .known(let extent) in dimensions where extent < 0 {
            throw error("the shape has an extent of \(extent)")
        }
        return [try output(value.elementType, dimensions)]
    }

    package func evaluate(_ inputs: [ExactTensor?], outputCount: Int) throws(GraphError) -> [ExactTensor] {
        [value.broadcast(to: try outputShape(inputs))]
    }
}
