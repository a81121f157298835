import Tensors

/// The entries of an axis at which a condition holds.
///
/// Inputs: input, any type, rank ≥ 1; condition, `bool` [n], at most the axis's extent: entries past it are left out.
/// Outputs: output. Attributes: `axis`; without it the input's elements are one axis. Errors: a condition that holds past
/// the axis's end. Source: ONNX Compress-9, 11.
package struct Compress: Operator {
    package static let type = "Compress"

    private let axis: Int?

    package init(_ attributes: inout AttributeReader) throws(GraphError) {
        axis = try attributes.integer("axis")
    }

    package var inputCount: ClosedRange<Int> { 2...2 }

    package func inferOutputs(_ inputs: [ValueInfo?], outputCount: Int) throws(GraphError) -> [ValueInfo] {
        let (input, condition) = (try required(inputs, 0, "input"), try required(inputs, 1, "condition"))
        try requireRank(input, "input", 1...Int.max)
        try requireType(condition, "condition", .bool)
        try requireRank(condition, "condition", 1)
        guard let axis else { return [try output(input.elementType, [.unknown])] }
        guard var dimensions = input.dimensions else { return [ValueInfo(input.elementType, nil)] }
        dimensions[try normalized(axis, rank: dimensions.count)] = .unknown
        return [try output(input.elementType, dimensions)]
    }

    package func evaluate(_ inputs: [ExactTensor?], outputCount: Int) throws(GraphError) -> [ExactTensor] {
        try requireFit(inputs)
        let input = try tensor(inputs, 0, "input")
        let whole = axis == nil ? input.reshaped(to: try checkedShape([input.shape.count])) : input
        let axis = try normalized(axis ?? 0, rank: whole.shape.rank)
        let condition = try integers(inputs, 1, "condition")
        let chosen = condition.indices.filter { condition[$0] != 0 }
        if let last = chosen.last, last >= whole.shape[axis] {
            throw error("the condition holds at \(last), the axis has an extent of \(whole.shape[axis])")
        }
        var dimensions = whole.shape.dimensions
        dimensions[axis] = chosen.count
        let target = try boundedShape(dimensions)
        return [whole.selected(to: target) { $0 == axis ? chosen : Array(0..<target[$0]) }]
    }
}
