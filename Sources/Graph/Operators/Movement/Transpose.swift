import Tensors

/// The axes in another order: axis i of the output is axis `perm[i]` of the input.
///
/// Inputs: data, any type. Outputs: transposed. Attributes: `perm` (all axes reversed).
/// Source: ONNX Transpose-1, 13, 21, 23, 24, 25.
package struct Transpose: Operator {
    package static let type = "Transpose"

    package let permutation: [Int]?

    package init(_ attributes: inout AttributeReader) throws(GraphError) {
        permutation = try attributes.integers("perm")
        if let permutation, permutation.sorted() != Array(permutation.indices) {
            throw .attribute(Self.type, name: "perm", reason: "\(permutation) is no permutation of axes")
        }
    }

    package var inputCount: ClosedRange<Int> { 1...1 }

    package func inferOutputs(_ inputs: [ValueInfo?], outputCount: Int) throws(GraphError) -> [ValueInfo] {
        let data = try required(inputs, 0, "data")
        if let permutation { try requireRank(data, "data", permutation.count) }
        guard let dimensions = data.dimensions else {
            let unknown = permutation.map { [Dimension](repeating: .unknown, count: $0.count) }
            return [ValueInfo(data.elementType, unknown)]
        }
        return [
            try output(
                data.elementType, resolved(rank: dimensions.count).map { dimensions[$0] },
                elements: dimensions.count <= 1 ? data.elements : nil)
        ]
    }

    package func evaluate(_ inputs: [ExactTensor?], outputCount: Int) throws(GraphError) -> [ExactTensor] {
        let shape = try outputShape(inputs)
        return [try tensor(inputs, 0, "data").transposed(resolved(rank: shape.rank), to: shape)]
    }

    /// The permutation of a tensor of this rank.
    package func resolved(rank: Int) -> [Int] { permutation ?? (0..<rank).reversed() }
}
