import Tensors

/// The input broadcast together with a shape.
///
/// Inputs: input, any type; shape, int64 [rank]. Outputs: output. Source: ONNX Expand-8, 13.
package struct Expand: Operator {
    package static let type = "Expand"

    package init(_ attributes: inout AttributeReader) {}

    package var inputCount: ClosedRange<Int> { 2...2 }

    package func inferOutputs(_ inputs: [ValueInfo?], outputCount: Int) throws(GraphError) -> [ValueInfo] {
        let (input, shape) = (try required(inputs, 0, "input"), try required(inputs, 1, "shape"))
        try requireType(shape, "shape", .int64)
        try requireRank(shape, "shape", 1)
        guard let target = shape.elements else { return [ValueInfo(input.elementType, nil)] }
        for case .known(let extent) in target where extent < 0 {
            throw error("shape has an extent of \(extent)")
        }
        return [try output(input.elementType, broadcast([input.dimensions, target]))]
    }

    package func evaluate(_ inputs: [ExactTensor?], outputCount: Int) throws(GraphError) -> [ExactTensor] {
        let shape = try outputShape(inputs)
        return [try tensor(inputs, 0, "input").broadcast(to: shape)]
    }
}
