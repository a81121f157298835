import Tensors

/// The input's extents from axis `start` up to `end`, as a vector.
///
/// Inputs: data, any type. Outputs: shape, int64 [end − start]. Attributes: `start` (0), `end` (rank), both since 15,
/// counted from the end when negative and held to the axes there are.
/// Source: ONNX Shape-1, 13, 15, 19, 21, 23, 24, 25.
package struct ShapeOperator: Operator {
    package static let type = "Shape"

    package let start: Int
    package let end: Int?

    package init(_ attributes: inout AttributeReader) throws(GraphError) {
        guard attributes.opset >= 15 else {
            (start, end) = (0, nil)
            return
        }
        start = try attributes.integer("start", default: 0)
        end = try attributes.integer("end")
    }

    package var inputCount: ClosedRange<Int> { 1...1 }

    package func inferOutputs(_ inputs: [ValueInfo?], outputCount: Int) throws(GraphError) -> [ValueInfo] {
        let data = try required(inputs, 0, "data")
        guard let dimensions = data.dimensions else { return [ValueInfo(.int64, [.unknown])] }
        let taken = Array(dimensions[axes(rank: dimensions.count)])
        let isShort = taken.count <= ValueInfo.maximumFollowedElements
        return [try output(.int64, [.known(taken.count)], elements: isShort ? taken : nil)]
    }

    package func evaluate(_ inputs: [ExactTensor?], outputCount: Int) throws(GraphError) -> [ExactTensor] {
        let data = try tensor(inputs, 0, "data")
        let extents = data.shape.dimensions[axes(rank: data.shape.rank)]
        return [
            ExactTensor(
                integers: extents.map { Int64($0) }, shape: try checkedShape([extents.count]),
                elementType: .int64)
        ]
    }

    private func axes(rank: Int) -> Range<Int> {
        func held(_ axis: Int) -> Int { min(rank, max(0, axis < 0 ? axis + rank : axis)) }
        let first = held(start)
        return first..<max(first, held(end ?? rank))
    }
}
