import Tensors

/// The entries of `axis` that `indices` name.
///
/// Inputs: data […before, D, …after], any type; indices, int32 or int64 of any shape, from −D to D − 1. Outputs: output
/// […before, …indices, …after]. Attributes: `axis` (0). Source: ONNX Gather-1, 11, 13.
package struct Gather: Operator {
    package static let type = "Gather"

    package let axis: Int

    package init(_ attributes: inout AttributeReader) throws(GraphError) {
        axis = try attributes.integer("axis", default: 0)
    }

    package var inputCount: ClosedRange<Int> { 2...2 }

    package func inferOutputs(_ inputs: [ValueInfo?], outputCount: Int) throws(GraphError) -> [ValueInfo] {
        let (data, indices) = (try required(inputs, 0, "data"), try required(inputs, 1, "indices"))
        try requireType(indices, "indices", .int64, .int32)
        try requireRank(data, "data", 1...Int.max)
        guard let dimensions = data.dimensions else { return [ValueInfo(data.elementType, nil)] }
        let axis = try normalized(axis, rank: dimensions.count)
        if let extent = dimensions[axis].value {
            for index in indices.knownElements ?? [] where index < -extent || index >= extent {
                throw error("an index is \(index), axis \(axis) has an extent of \(extent)")
            }
        }
        guard let chosen = indices.dimensions else { return [ValueInfo(data.elementType, nil)] }
        return [
            try output(
                data.elementType, dimensions[..<axis] + chosen + dimensions[(axis + 1)...],
                elements: followed(data, indices))
        ]
    }

    package func evaluate(_ inputs: [ExactTensor?], outputCount: Int) throws(GraphError) -> [ExactTensor] {
        let target = try outputShape(inputs)
        let data = try tensor(inputs, 0, "data")
        let axis = try normalized(axis, rank: data.shape.rank)
        let extent = data.shape[axis]
        var positions: [Int] = []
        for index in try integers(inputs, 1, "indices") {
            positions.append(try position(index, on: axis, extent: extent))
        }
        // As three axes: those before, the one gathered from, those after.
        let outer = data.shape.dimensions[..<axis].reduce(1, *)
        let inner = data.shape.dimensions[(axis + 1)...].reduce(1, *)
        let flat = data.reshaped(to: try checkedShape([outer, extent, inner]))
        let gathered = flat.selected(to: try checkedShape([outer, positions.count, inner])) { axis in
            axis == 0 ? Array(0..<outer) : axis == 1 ? positions : Array(0..<inner)
        }
        return [gathered.reshaped(to: target)]
    }

    private func followed(_ data: ValueInfo, _ indices: ValueInfo) -> [Dimension]? {
        guard let elements = data.elements, data.rank == 1, indices.rank ?? 2 <= 1,
            let positions = indices.knownElements
        else { return nil }
        return positions.map { position in
            let index = position < 0 ? position + elements.count : position
            return elements.indices.contains(index) ? elements[index] : .unknown
        }
    }
}
