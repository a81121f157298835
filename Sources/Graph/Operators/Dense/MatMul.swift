import Tensors

/// The matrix product of NumPy: the last two axes are matrices, those in front are broadcast; a vector is a row on the
/// left, a column on the right, and that axis is left out of the output.
///
/// Inputs: A […, M, K], B […, K, N]. Outputs: Y […, M, N]. Types: floating, or 32- and 64-bit integers.
/// Source: ONNX MatMul-1, 9, 13.
package struct MatMul: Operator {
    package static let type = "MatMul"

    package init(_ attributes: inout AttributeReader) {}

    /// For the operators that are made of it.
    init() {}

    package var inputCount: ClosedRange<Int> { 2...2 }

    package func inferOutputs(_ inputs: [ValueInfo?], outputCount: Int) throws(GraphError) -> [ValueInfo] {
        let (a, b) = (try required(inputs, 0, "A"), try required(inputs, 1, "B"))
        let type = try commonType(a, "A", b, "B")
        try requireNumbers(ValueInfo(type, nil), "A")
        try requireRank(a, "A", 1...Int.max)
        try requireRank(b, "B", 1...Int.max)
        guard let left = a.dimensions, let right = b.dimensions else { return [ValueInfo(type, nil)] }
        let inner = left[left.count - 1]
        let innerOfB = right[max(0, right.count - 2)]
        guard inner.unified(with: innerOfB) != nil else {
            throw error("A \(a) has \(inner) columns, B \(b) has \(innerOfB) rows")
        }
        var dimensions = try broadcast([Array(left.dropLast(2)), Array(right.dropLast(2))]) ?? []
        if left.count > 1 { dimensions.append(left[left.count - 2]) }
        if right.count > 1 { dimensions.append(right[right.count - 1]) }
        return [try output(type, dimensions)]
    }

    package func evaluate(_ inputs: [ExactTensor?], outputCount: Int) throws(GraphError) -> [ExactTensor] {
        let target = try outputShape(inputs)
        let (a, b) = (try tensor(inputs, 0, "A"), try tensor(inputs, 1, "B"))
        // Vectors as matrices.
        let rows = a.shape.rank > 1 ? a.shape[a.shape.rank - 2] : 1
        let columns = b.shape.rank > 1 ? b.shape[b.shape.rank - 1] : 1
        let inner = a.shape[a.shape.rank - 1]
        let batch = Array(target.dimensions.dropLast((a.shape.rank > 1 ? 1 : 0) + (b.shape.rank > 1 ? 1 : 0)))
        let left = try matrixOffsets(a, batch: batch, size: rows * inner)
        let right = try matrixOffsets(b, batch: batch, size: inner * columns)
        let product = MatrixProduct(rows: rows, inner: inner, columns: columns)
        if let lefts = a.reals, let rights = b.reals {
            var result = [Double](repeating: 0, count: target.count)
            let size = rows * columns
            for index in left.indices where size > 0 {
                lefts.withUnsafeBufferPointer { lefts in
                    rights.withUnsafeBufferPointer { rights in
                        result.withUnsafeMutableBufferPointer { result in
                            product.multiply(
                                UnsafeBufferPointer(
                                    rebasing: lefts[left[index]..<left[index] + rows * inner]),
                                UnsafeBufferPointer(
                                    rebasing: rights[right[index]..<right[index] + inner * columns]),
                                rowStride: columns, columnStride: 1,
                                into: UnsafeMutableBufferPointer(
                                    rebasing: result[index * size..<(index + 1) * size]))
                        }
                    }
                }
            }
            return [ExactTensor(reals: result, shape: target, elementType: a.elementType)]
        }
        let (lefts, rights) = (try integers(inputs, 0, "A"), try integers(inputs, 1, "B"))
        let result = left.indices.flatMap { index in
            product.multiply(
                Array(lefts[left[index]..<left[index] + rows * inner]),
                Array(rights[right[index]..<right[index] + inner * columns]), rowStride: columns,
                columnStride: 1)
        }
        return [ExactTensor(integers: result, shape: target, elementType: a.elementType)]
    }

    /// Where the matrix of each entry of the broadcast batch begins.
    private func matrixOffsets(_ tensor: ExactTensor, batch: [Int], size: Int) throws(GraphError) -> [Int] {
        let own = tensor.shape.dimensions.dropLast(2)
        let count = own.reduce(1, *)
        let batchShape = try checkedShape(batch)
        guard count > 0, batchShape.count > 0, batchShape.count <= EvaluationLimits.maximumElementCount else {
            return []
        }
        let numbers = ExactTensor(
            integers: (0..<Int64(count)).map { $0 &* Int64(size) }, shape: try checkedShape(Array(own)),
            elementType: .int64)
        return try integers([numbers.broadcast(to: batchShape)], 0, "batch").map { Int($0) }
    }
}
