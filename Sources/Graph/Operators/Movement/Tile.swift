import Tensors

/// The input repeated along each axis.
///
/// Inputs: input, any type; repeats, int64 [rank]. Outputs: output. Source: ONNX Tile-6, 13.
package struct Tile: Operator {
    package static let type = "Tile"

    package init(_ attributes: inout AttributeReader) {}

    package var inputCount: ClosedRange<Int> { 2...2 }

    package func inferOutputs(_ inputs: [ValueInfo?], outputCount: Int) throws(GraphError) -> [ValueInfo] {
        let (input, repeats) = (try required(inputs, 0, "input"), try required(inputs, 1, "repeats"))
        try requireType(repeats, "repeats", .int64)
        try requireRank(repeats, "repeats", 1)
        guard let dimensions = input.dimensions else { return [ValueInfo(input.elementType, nil)] }
        guard let counts = repeats.elements else {
            return [
                ValueInfo(input.elementType, [Dimension](repeating: .unknown, count: dimensions.count))
            ]
        }
        guard counts.count == dimensions.count else {
            throw error("repeats has \(counts.count) elements, the input has rank \(dimensions.count)")
        }
        if let count = counts.compactMap(\.value).first(where: { $0 < 0 }) {
            throw error("an axis is repeated \(count) times")
        }
        var result: [Dimension] = []
        for (extent, count) in zip(dimensions, counts) {
            let product = Dimension.product([extent, count])
            if product == .unknown, extent.value != nil, count.value != nil {
                throw error("an extent of \(extent) repeated \(count) times cannot be addressed")
            }
            result.append(product)
        }
        return [try output(input.elementType, result)]
    }

    package func evaluate(_ inputs: [ExactTensor?], outputCount: Int) throws(GraphError) -> [ExactTensor] {
        let shape = try outputShape(inputs)
        let input = try tensor(inputs, 0, "input")
        return [input.selected(to: shape) { axis in (0..<shape[axis]).map { $0 % input.shape[axis] } }]
    }
}
