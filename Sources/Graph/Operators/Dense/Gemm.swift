import Tensors

/// Y = alpha·A'·B' + beta·C, where ' transposes when asked to.
///
/// Inputs: A' [M, K], B' [K, N], C broadcast to [M, N] (optional since 11). Outputs: Y [M, N]. Attributes: `alpha` (1),
/// `beta` (1), `transA` (0), `transB` (0). Types: floating, or 32- and 64-bit integers with whole `alpha` and `beta`.
/// Source: ONNX Gemm-7, 9, 11, 13.
package struct Gemm: Operator {
    package static let type = "Gemm"

    package let alpha: Float
    package let beta: Float
    package let transposesA: Bool
    package let transposesB: Bool

    package init(_ attributes: inout AttributeReader) throws(GraphError) {
        alpha = try attributes.real("alpha", default: 1)
        beta = try attributes.real("beta", default: 1)
        transposesA = try attributes.flag("transA", default: false)
        transposesB = try attributes.flag("transB", default: false)
    }

    package var inputCount: ClosedRange<Int> { 2...3 }

    package func inferOutputs(_ inputs: [ValueInfo?], outputCount: Int) throws(GraphError) -> [ValueInfo] {
        let (a, b) = (try required(inputs, 0, "A"), try required(inputs, 1, "B"))
        let c = try optional(inputs, 2, "C")
        var type = try commonType(a, "A", b, "B")
        if let c { type = try commonType(ValueInfo(type, nil), "A", c, "C") }
        try requireNumbers(ValueInfo(type, nil), "A")
        if type?.isInteger == true, Int64(exactly: alpha) == nil || Int64(exactly: beta) == nil {
            throw error("alpha \(alpha) and beta \(beta) are not whole, the element type is an integer")
        }
        try requireRank(a, "A", 2)
        try requireRank(b, "B", 2)
        let rows = a.dimensions?[transposesA ? 1 : 0] ?? .unknown
        let inner = a.dimensions?[transposesA ? 0 : 1] ?? .unknown
        let columns = b.dimensions?[transposesB ? 0 : 1] ?? .unknown
        let innerOfB = b.dimensions?[transposesB ? 1 : 0] ?? .unknown
        guard inner.unified(with: innerOfB) != nil else {
            throw error("A has \(inner) columns after transposition, B has \(innerOfB) rows")
        }
        try requireBroadcast(c?.dimensions, "C", to: [rows, columns])
        return [try output(type, [rows, columns])]
    }

    package func evaluate(_ inputs: [ExactTensor?], outputCount: Int) throws(GraphError) -> [ExactTensor] {
        let target = try outputShape(inputs)
        let (a, b) = (try tensor(inputs, 0, "A"), try tensor(inputs, 1, "B"))
        let left =
            transposesA ? a.transposed([1, 0], to: try checkedShape(a.shape.dimensions.reversed())) : a
        let inner = left.shape[1]
        let bias = inputs.count > 2 ? inputs[2]?.broadcast(to: target) : nil
        let bStrides = transposesB ? (row: 1, column: inner) : (row: target[1], column: 1)
        let product = MatrixProduct(rows: target[0], inner: inner, columns: target[1])
        if let lefts = left.reals, let rights = b.reals {
            var result = [Double](repeating: 0, count: target.count)
            lefts.withUnsafeBufferPointer { lefts in
                rights.withUnsafeBufferPointer { rights in
                    result.withUnsafeMutableBufferPointer { result in
                        product.multiply(
                            lefts, rights, rowStride: bStrides.row, columnStride: bStrides.column,
                            into: result)
                    }
                }
            }
            if alpha != 1 { for index in result.indices { result[index] *= Double(alpha) } }
            if let bias = bias?.reals {
                for index in result.indices { result[index] += Double(beta) * bias[index] }
            }
            return [ExactTensor(reals: result, shape: target, elementType: a.elementType)]
        }
        guard let alpha = Int64(exactly: alpha), let beta = Int64(exactly: beta) else {
            throw error("alpha and beta are not whole")
        }
        var result = product.multiply(
            try integers([left], 0, "A"), try integers(inputs, 1, "B"), rowStride: bStrides.row,
            columnStride: bStrides.column)
        let biases = bias?.integers
        for index in result.indices {
            result[index] = alpha &* result[index] &+ beta &* (biases?[index] ?? 0)
        }
        return [ExactTensor(integers: result, shape: target, elementType: a.elementType)]
    }
}
