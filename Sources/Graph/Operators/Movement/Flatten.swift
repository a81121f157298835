import Tensors

/// The input as a matrix: the axes before `axis` are the rows, the others the columns.
///
/// Inputs: input, any type. Outputs: output [∏ before, ∏ after]. Attributes: `axis` (1), from −rank (since 11) to rank.
/// Source: ONNX Flatten-1, 9, 11, 13, 21, 23, 24, 25.
package struct Flatten: Operator {
    package static let type = "Flatten"

    package let axis: Int

    package init(_ attributes: inout AttributeReader) throws(GraphError) {
        axis = try attributes.integer("axis", default: 1)
    }

    package var inputCount: ClosedRange<Int> { 1...1 }

    package func inferOutputs(_ inputs: [ValueInfo?], outputCount: Int) throws(GraphError) -> [ValueInfo] {
        let input = try required(inputs, 0, "input")
        guard let dimensions = input.dimensions else {
            return [ValueInfo(input.elementType, [.unknown, .unknown])]
        }
        let split = try normalized(axis, rank: dimensions.count, pastEnd: true)
        return [
            try output(
                input.elementType,
                [.product(dimensions[..<split]), .product(dimensions[split...])])
        ]
    }

    package func evaluate(_ inputs: [ExactTensor?], outputCount: Int) throws(GraphError) -> [ExactTensor] {
        let shape = try outputShape(inputs)
        return [try tensor(inputs, 0, "input").reshaped(to: shape)]
    }
}
