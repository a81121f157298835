import Tensors

/// How many elements the input has. Inputs: data, any type. Outputs: size, int64 scalar.
/// Source: ONNX Size-1, 13, 19, 21, 23, 24, 25.
package struct Size: Operator {
    package static let type = "Size"

    package init(_ attributes: inout AttributeReader) {}

    package var inputCount: ClosedRange<Int> { 1...1 }

    package func inferOutputs(_ inputs: [ValueInfo?], outputCount: Int) throws(GraphError) -> [ValueInfo] {
        let data = try required(inputs, 0, "data")
        return [try output(.int64, [], elements: data.dimensions.map { [.product($0)] })]
    }

    package func evaluate(_ inputs: [ExactTensor?], outputCount: Int) throws(GraphError) -> [ExactTensor] {
        let count = try tensor(inputs, 0, "data").shape.count
        return [ExactTensor(integers: [Int64(count)], shape: .scalar, elementType: .int64)]
    }
}
