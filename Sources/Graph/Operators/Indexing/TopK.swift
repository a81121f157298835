import Tensors

/// The k greatest or least elements along an axis, and where they are.
///
/// Inputs: X, floating, since 11 any number type; K, int64 [1] (since 10). Outputs: Values, as X but for k elements on the
/// axis; Indices, int64. Attributes: `axis` (−1); `k` (before 10); since 11 `largest` (1) and `sorted` (1; without it any
/// order may be given, and this is the sorted one). Of equal elements the one with the lower index comes first; NaN is
/// the greatest, as in NumPy. Source: ONNX TopK-1, 10, 11, 24.
package struct TopK: Operator {
    package static let type = "TopK"

    private let axis: Int
    /// For opsets before 10.
    private let stated: Int?
    private let takesLargest: Bool
    private let takesIntegers: Bool

    package init(_ attributes: inout AttributeReader) throws(GraphError) {
        axis = try attributes.integer("axis", default: -1)
        takesIntegers = attributes.opset >= 11
        if attributes.opset < 10 {
            guard let k = try attributes.integer("k", in: 0...AttributeReader.maximumExtent) else {
                throw .attribute(Self.type, name: "k", reason: "is required")
            }
            stated = k
        } else {
            stated = nil
        }
        takesLargest = takesIntegers ? try attributes.flag("largest", default: true) : true
        if takesIntegers { _ = try attributes.flag("sorted", default: true) }
    }

    package var inputCount: ClosedRange<Int> { stated == nil ? 2...2 : 1...1 }
    package var outputCount: ClosedRange<Int> { 1...2 }

    package func inferOutputs(_ inputs: [ValueInfo?], outputCount: Int) throws(GraphError) -> [ValueInfo] {
        let x = try required(inputs, 0, "X")
        if takesIntegers { try requireNumbers(x, "X") } else { try requireFloating(x, "X") }
        let k = try count(inputs)
        var dimensions = x.dimensions
        if let extents = x.dimensions {
            let axis = try normalized(axis, rank: extents.count)
            if let extent = extents[axis].value, let k = k.value, k > extent {
                throw error("K is \(k), axis \(axis) has an extent of \(extent)")
            }
            dimensions?[axis] = k
        }
        let results = [try output(x.elementType, dimensions), ValueInfo(.int64, dimensions)]
        return Array(results.prefix(max(1, outputCount)))
    }

    package func evaluate(_ inputs: [ExactTensor?], outputCount: Int) throws(GraphError) -> [ExactTensor] {
        let target = try outputShape(inputs)
        let x = try tensor(inputs, 0, "X")
        let axis = try normalized(axis, rank: x.shape.rank)
        let (rows, results) = (AxisRows(x.shape, axis: axis), AxisRows(target, axis: axis))
        let comparison = ElementOrder(x)
        var indices = [Int64](repeating: 0, count: target.count)
        var offsets = [Int](repeating: 0, count: target.count)
        for row in 0..<results.count {
            let base = rows.offset(row)
            let order = (0..<rows.extent).sorted { one, other in
                let compared = comparison.compare(base + one * rows.step, base + other * rows.step)
                return compared == 0 ? one < other : (compared > 0) == takesLargest
            }
            for position in 0..<results.extent {
                let place = results.offset(row) + position * results.step
                indices[place] = Int64(order[position])
                offsets[place] = base + order[position] * rows.step
            }
        }
        let positions = ExactTensor(integers: indices, shape: target, elementType: .int64)
        return Array([x.taken(at: offsets, to: target), positions].prefix(max(1, outputCount)))
    }

    private func count(_ inputs: [ValueInfo?]) throws(GraphError) -> Dimension {
        if let stated { return .known(stated) }
        let k = try required(inputs, 1, "K")
        try requireType(k, "K", .int64)
        try requireOneElement(k, "K")
        let count = k.elements?.first ?? .unknown
        if let value = count.value, value < 0 { throw error("K is \(value)") }
        return count
    }
}
