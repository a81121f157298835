import Tensors

/// The middle of the input, or the input in the middle of zeros, axis by axis.
///
/// Inputs: input_data, any type; shape (int32 or int64), an extent for each of `axes`. Outputs: output_data. An odd
/// difference is cropped or padded once more at the end. Attributes: `axes` (all). Source: ONNX CenterCropPad-18.
package struct CenterCropPad: Operator {
    package static let type = "CenterCropPad"

    package let axes: [Int]?

    package init(_ attributes: inout AttributeReader) throws(GraphError) {
        axes = try attributes.integers("axes")
    }

    package var inputCount: ClosedRange<Int> { 2...2 }

    package func inferOutputs(_ inputs: [ValueInfo?], outputCount: Int) throws(GraphError) -> [ValueInfo] {
        let (input, shape) = (try required(inputs, 0, "input_data"), try required(inputs, 1, "shape"))
        try requireType(shape, "shape", .int64, .int32)
        try requireRank(shape, "shape", 1)
        guard var dimensions = input.dimensions else { return [ValueInfo(input.elementType, nil)] }
        let axes = try normalized(axes ?? Array(dimensions.indices), rank: dimensions.count)
        if let count = shape.elements?.count ?? shape.dimensions?[0].value, count != axes.count {
            throw error("shape has \(count) elements, expected \(axes.count)")
        }
        for (index, axis) in axes.enumerated() {
            let extent = shape.elements?[index] ?? .unknown
            if let extent = extent.value, extent < 0 { throw error("shape has an extent of \(extent)") }
            dimensions[axis] = extent
        }
        return [try output(input.elementType, dimensions)]
    }

    package func evaluate(_ inputs: [ExactTensor?], outputCount: Int) throws(GraphError) -> [ExactTensor] {
        let target = try outputShape(inputs)
        let input = try tensor(inputs, 0, "input_data")
        return [
            input.selected(to: target) { axis in
                let (from, to) = (input.shape[axis], target[axis])
                // Halves are rounded toward zero: the odd element is at the end, cropped or padded.
                let shift = (from - to) / 2
                return (0..<to).map { (0..<from).contains($0 + shift) ? $0 + shift : -1 }
            }
        ]
    }
}
