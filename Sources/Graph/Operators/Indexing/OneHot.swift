import Tensors

/// A new axis on which only the entry that `indices` names has the on-value.
///
/// Inputs: indices, any number type (reals are truncated), from −depth to depth − 1, others name no entry; depth, one
/// number; values [2], any type: off, on. Outputs: output, indices' shape with the axis of extent depth inserted.
/// Attributes: `axis` (−1), in the output. Source: ONNX OneHot-9, 11.
package struct OneHot: Operator {
    package static let type = "OneHot"

    private let axis: Int

    package init(_ attributes: inout AttributeReader) throws(GraphError) {
        axis = try attributes.integer("axis", default: -1)
    }

    package var inputCount: ClosedRange<Int> { 3...3 }

    package func inferOutputs(_ inputs: [ValueInfo?], outputCount: Int) throws(GraphError) -> [ValueInfo] {
        let (indices, depth) = (try required(inputs, 0, "indices"), try required(inputs, 1, "depth"))
        let values = try required(inputs, 2, "values")
        try requireNumbers(indices, "indices")
        try requireNumbers(depth, "depth")
        try requireOneElement(depth, "depth")
        try requireRank(values, "values", 1)
        if let count = values.dimensions?[0].value, count != 2 {
            throw error("values has \(count) elements, expected 2")
        }
        guard var dimensions = indices.dimensions else { return [ValueInfo(values.elementType, nil)] }
        let axis = try normalized(axis, rank: dimensions.count + 1)
        dimensions.insert(try extent(depth), at: axis)
        return [try output(values.elementType, dimensions)]
    }

    package func evaluate(_ inputs: [ExactTensor?], outputCount: Int) throws(GraphError) -> [ExactTensor] {
        let target = try outputShape(inputs)
        let values = try tensor(inputs, 2, "values")
        let indices = try integers([try tensor(inputs, 0, "indices").converted(to: .int64)], 0, "indices")
        let isUnsigned = try tensor(inputs, 0, "indices").elementType == .uint64
        let rows = AxisRows(target, axis: try normalized(axis, rank: target.rank))
        var choices = [Int](repeating: 0, count: target.count)
        // A row of the output is one index.
        for row in 0..<rows.count {
            let index = indices[row]
            if isUnsigned && index < 0 { continue }
            guard index >= -Int64(rows.extent), index < Int64(rows.extent) else { continue }
            let position = Int(index) + (index < 0 ? rows.extent : 0)
            choices[rows.offset(row) + position * rows.step] = 1
        }
        return [values.taken(at: choices, to: target)]
    }

    private func extent(_ depth: ValueInfo) throws(GraphError) -> Dimension {
        if let real = depth.knownReals?.first {
            guard let extent = Int(exactly: real.rounded(.towardZero)), extent >= 0 else {
                throw error("depth is \(real)")
            }
            return .known(extent)
        }
        let extent = depth.elements?.first ?? .unknown
        if let value = extent.value, value < 0 { throw error("depth is \(value)") }
        return extent
    }
}
