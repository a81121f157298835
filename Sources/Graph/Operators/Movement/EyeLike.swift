import Tensors

/// A matrix of the input's shape with ones on a diagonal, zeros elsewhere.
///
/// Inputs: input [N, M], any type. Outputs: output [N, M]. Attributes: `dtype` (a TensorProto.DataType; the input's), `k`
/// (0: the main diagonal; above it when positive). Source: ONNX EyeLike-9, 22.
package struct EyeLike: Operator {
    package static let type = "EyeLike"

    private let elementType: ElementType?
    private let diagonal: Int

    package init(_ attributes: inout AttributeReader) throws(GraphError) {
        elementType = try attributes.elementType("dtype")
        diagonal = try attributes.integer("k", default: 0)
    }

    package var inputCount: ClosedRange<Int> { 1...1 }

    package func inferOutputs(_ inputs: [ValueInfo?], outputCount: Int) throws(GraphError) -> [ValueInfo] {
        let input = try required(inputs, 0, "input")
        try requireRank(input, "input", 2)
        return [
            try output(elementType ?? input.elementType, input.dimensions ?? [.unknown, .unknown])
        ]
    }

    package func evaluate(_ inputs: [ExactTensor?], outputCount: Int) throws(GraphError) -> [ExactTensor] {
        let shape = try outputShape(inputs)
        let own = try tensor(inputs, 0, "input").elementType
        let values: [Int64] = (0..<shape.count).map { index in
            index % shape[1] - index / shape[1] == diagonal ? 1 : 0
        }
        return [
            ExactTensor(integers: values, shape: shape, elementType: .int64).converted(to: elementType ?? own)
        ]
    }
}
