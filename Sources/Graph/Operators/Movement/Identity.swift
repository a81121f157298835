import Tensors

/// The input itself, of any type. Source: ONNX Identity-1, 13, 14, 16, 19, 21, 23, 24, 25.
package struct Identity: Operator {
    package static let type = "Identity"

    package init(_ attributes: inout AttributeReader) {}

    package var inputCount: ClosedRange<Int> { 1...1 }

    package func inferOutputs(_ inputs: [ValueInfo?], outputCount: Int) throws(GraphError) -> [ValueInfo] {
        [try required(inputs, 0, "input")]
    }

    package func evaluate(_ inputs: [ExactTensor?], outputCount: Int) throws(GraphError) -> [ExactTensor] {
        [try tensor(inputs, 0, "input")]
    }
}
