import Tensors

/// The input's bytes, little-endian, as another type of the same width.
///
/// Inputs: input, any type. Outputs: output, shaped as input. Attributes: `to` (required, a TensorProto.DataType). A real
/// is rounded to its type first, since it has no bits before; a byte that is not 0 is true. Source: ONNX BitCast-26.
package struct BitCast: Operator {
    package static let type = "BitCast"

    package let elementType: ElementType

    package init(_ attributes: inout AttributeReader) throws(GraphError) {
        guard let elementType = try attributes.elementType("to") else {
            throw .attribute(Self.type, name: "to", reason: "is required")
        }
        self.elementType = elementType
    }

    package var inputCount: ClosedRange<Int> { 1...1 }

    package func inferOutputs(_ inputs: [ValueInfo?], outputCount: Int) throws(GraphError) -> [ValueInfo] {
        let input = try required(inputs, 0, "input")
        if let type = input.elementType, type.byteCount != elementType.byteCount {
            throw error(
                "the input has element type \(type) of \(type.byteCount) bytes, \(elementType) has "
                    + "\(elementType.byteCount)")
        }
        return [try output(elementType, input.dimensions)]
    }

    package func evaluate(_ inputs: [ExactTensor?], outputCount: Int) throws(GraphError) -> [ExactTensor] {
        let shape = try outputShape(inputs)
        let stored = try tensor(inputs, 0, "input").tensor
        return stored.withUnsafeBytes { source in
            [ExactTensor(Tensor(elementType: elementType, shape: shape) { $0.copyMemory(from: source) })]
        }
    }
}
