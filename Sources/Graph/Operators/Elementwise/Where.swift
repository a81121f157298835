import Tensors

/// X where condition holds, Y elsewhere.
///
/// Inputs: condition (`bool`), X and Y of one element type, all broadcast together. Outputs: output.
/// Source: ONNX Where-9, 16.
package struct Where: Operator {
    package static let type = "Where"

    package init(_ attributes: inout AttributeReader) {}

    package var inputCount: ClosedRange<Int> { 3...3 }

    package func inferOutputs(_ inputs: [ValueInfo?], outputCount: Int) throws(GraphError) -> [ValueInfo] {
        let condition = try required(inputs, 0, "condition")
        let (x, y) = (try required(inputs, 1, "X"), try required(inputs, 2, "Y"))
        try requireType(condition, "condition", .bool)
        let type = try commonType(x, "X", y, "Y")
        return [try output(type, broadcast([condition.dimensions, x.dimensions, y.dimensions]))]
    }

    package func evaluate(_ inputs: [ExactTensor?], outputCount: Int) throws(GraphError) -> [ExactTensor] {
        let shape = try outputShape(inputs)
        let chosen = try integers([try tensor(inputs, 0, "condition").broadcast(to: shape)], 0, "condition")
        let x = try tensor(inputs, 1, "X").broadcast(to: shape)
        let y = try tensor(inputs, 2, "Y").broadcast(to: shape)
        if let first = x.reals, let second = y.reals {
            let result = chosen.indices.map { chosen[$0] != 0 ? first[$0] : second[$0] }
            return [ExactTensor(reals: result, shape: shape, elementType: x.elementType)]
        }
        let (first, second) = (try integers([x], 0, "X"), try integers([y], 0, "Y"))
        let result = chosen.indices.map { chosen[$0] != 0 ? first[$0] : second[$0] }
        return [ExactTensor(integers: result, shape: shape, elementType: x.elementType)]
    }
}
