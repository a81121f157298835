import Tensors

/// The upper or lower triangle of each matrix of the last two axes, zeros elsewhere.
///
/// Inputs: input […, N, M], any type; k, int64, one element (optional, 0): the diagonal up to which the triangle goes,
/// positive above the main one. Outputs: output, as input. Attributes: `upper` (1). Source: ONNX Trilu-14.
package struct Trilu: Operator {
    package static let type = "Trilu"

    private let isUpper: Bool

    package init(_ attributes: inout AttributeReader) throws(GraphError) {
        isUpper = try attributes.flag("upper", default: true)
    }

    package var inputCount: ClosedRange<Int> { 1...2 }

    package func inferOutputs(_ inputs: [ValueInfo?], outputCount: Int) throws(GraphError) -> [ValueInfo] {
        let input = try required(inputs, 0, "input")
        try requireRank(input, "input", 2...Int.max)
        if let k = try optional(inputs, 1, "k") {
            try requireType(k, "k", .int64)
            try requireOneElement(k, "k")
        }
        return [try output(input.elementType, input.dimensions)]
    }

    package func evaluate(_ inputs: [ExactTensor?], outputCount: Int) throws(GraphError) -> [ExactTensor] {
        let shape = try outputShape(inputs)
        let input = try tensor(inputs, 0, "input")
        let diagonal = Int(try optionalInteger(inputs, 1, "k") ?? 0)
        let (rows, columns) = (shape[shape.rank - 2], shape[shape.rank - 1])
        func isKept(_ index: Int) -> Bool {
            let distance = index % columns - index / columns % rows
            return isUpper ? distance >= diagonal : distance <= diagonal
        }
        switch input.elements {
        case .reals(let values):
            let result = values.indices.map { isKept($0) ? values[$0] : 0 }
            return [ExactTensor(reals: result, shape: shape, elementType: input.elementType)]
        case .integers(let values):
            let result = values.indices.map { isKept($0) ? values[$0] : 0 }
            return [ExactTensor(integers: result, shape: shape, elementType: input.elementType)]
        }
    }
}
