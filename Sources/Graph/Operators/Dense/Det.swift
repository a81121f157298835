import Tensors

/// The determinants of square matrices.
///
/// Inputs: X […, M, M], floating. Outputs: Y […]. Computed by Gaussian elimination with partial pivoting.
/// Source: ONNX Det-11, 22.
package struct Det: Operator {
    package static let type = "Det"

    package init(_ attributes: inout AttributeReader) {}

    package var inputCount: ClosedRange<Int> { 1...1 }

    package func inferOutputs(_ inputs: [ValueInfo?], outputCount: Int) throws(GraphError) -> [ValueInfo] {
        let x = try required(inputs, 0, "X")
        try requireFloating(x, "X")
        try requireRank(x, "X", 2...Int.max)
        guard let dimensions = x.dimensions else { return [ValueInfo(x.elementType, nil)] }
        guard dimensions[dimensions.count - 2].unified(with: dimensions[dimensions.count - 1]) != nil else {
            throw error("X \(x) holds no square matrices")
        }
        return [try output(x.elementType, dimensions.dropLast(2))]
    }

    package func evaluate(_ inputs: [ExactTensor?], outputCount: Int) throws(GraphError) -> [ExactTensor] {
        let target = try outputShape(inputs)
        let x = try tensor(inputs, 0, "X")
        let values = try reals(inputs, 0, "X")
        let size = x.shape[x.shape.rank - 1]
        let result = (0..<target.count).map { index in
            determinant(Array(values[index * size * size..<(index + 1) * size * size]), size)
        }
        return [ExactTensor(reals: result, shape: target, elementType: x.elementType)]
    }

    private func determinant(_ values: [Double], _ size: Int) -> Double {
        var matrix = values
        var result = 1.0
        for column in 0..<size {
            var pivot = column
            for row in column..<size
            where matrix[row * size + column].magnitude > matrix[pivot * size + column].magnitude {
                pivot = row
            }
            if pivot != column {
                for index in 0..<size { matrix.swapAt(pivot * size + index, column * size + index) }
                result = -result
            }
            let divisor = matrix[column * size + column]
            result *= divisor
            if divisor == 0 { return result }
            for row in stride(from: column + 1, to: size, by: 1) {
                let factor = matrix[row * size + column] / divisor
                for index in column..<size {
                    matrix[row * size + index] -= factor * matrix[column * size + index]
                }
            }
        }
        return result
    }
}
