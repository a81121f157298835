import Tensors

/// The input cut into parts along `axis`.
///
/// Inputs: input, any type; split (int64, since 13, optional): the parts' extents. Outputs: one a part. Attributes:
/// `axis` (0); `split` (before 13); `num_outputs` (since 18): as many parts, equal but for a shorter last one. With
/// neither, the parts are equal. Source: ONNX Split-2, 11, 13, 18.
package struct Split: Operator {
    package static let type = "Split"

    package let axis: Int
    private let parts: AxesParameter
    private let opset: Int
    private let statedCount: Int?

    package init(_ attributes: inout AttributeReader) throws(GraphError) {
        opset = attributes.opset
        axis = try attributes.integer("axis", default: 0)
        parts = try AxesParameter(&attributes, attribute: "split", input: 1, sinceOpset: 13)
        statedCount =
            opset >= 18
            ? try attributes.integer("num_outputs", in: 1...Graph.maximumNodeInputCount) : nil
    }

    package var inputCount: ClosedRange<Int> { opset < 13 ? 1...1 : 1...2 }
    package var outputCount: ClosedRange<Int> { 1...Graph.maximumNodeInputCount }

    package func inferOutputs(_ inputs: [ValueInfo?], outputCount: Int) throws(GraphError) -> [ValueInfo] {
        let input = try required(inputs, 0, "input")
        guard (1...Graph.maximumNodeInputCount).contains(outputCount) else {
            throw error("has \(outputCount) outputs")
        }
        if let statedCount, statedCount != outputCount {
            throw error("num_outputs is \(statedCount), the node has \(outputCount) outputs")
        }
        guard let dimensions = input.dimensions else {
            return [ValueInfo](repeating: ValueInfo(input.elementType, nil), count: outputCount)
        }
        let axis = try normalized(axis, rank: dimensions.count)
        var results: [ValueInfo] = []
        for extent in try extents(inputs, dimensions[axis], count: outputCount) {
            var part = dimensions
            part[axis] = extent
            results.append(try output(input.elementType, part))
        }
        return results
    }

    package func evaluate(_ inputs: [ExactTensor?], outputCount: Int) throws(GraphError) -> [ExactTensor] {
        let shapes = try outputShapes(inputs, outputCount: outputCount)
        let input = try tensor(inputs, 0, "input")
        let axis = try normalized(axis, rank: input.shape.rank)
        var first = 0
        return shapes.map { shape in
            defer { first += shape[axis] }
            return input.strided(
                to: shape, strides: input.shape.strides, offset: first * input.shape.strides[axis])
        }
    }

    private func extents(
        _ inputs: [ValueInfo?], _ whole: Dimension, count: Int
    ) throws(GraphError) -> [Dimension] {
        switch try parts.axes(inputs, of: self) {
        case .unknown: return [Dimension](repeating: .unknown, count: count)
        case .known(let extents):
            guard extents.count == count else {
                throw error("split has \(extents.count) elements, the node has \(count) outputs")
            }
            guard extents.allSatisfy({ $0 >= 0 }) else {
                throw error("split \(extents) has a negative extent")
            }
            let sum = Dimension.sum(extents.map(Dimension.known))
            guard sum != .unknown, whole.unified(with: sum) != nil else {
                throw error("split \(extents) adds up to \(sum), the axis has an extent of \(whole)")
            }
            return extents.map(Dimension.known)
        case .absent:
            guard let whole = whole.value else { return [Dimension](repeating: .unknown, count: count) }
            if statedCount == nil, !whole.isMultiple(of: count) {
                throw error("an extent of \(whole) cannot be split into \(count) equal parts")
            }
            let part = (whole + count - 1) / count
            return (0..<count).map { .known(max(0, min(part, whole - $0 * part))) }
        }
    }
}
