import Tensors

/// The first elements of each sequence of a batch in the opposite order, the others as they are.
///
/// Inputs: input, any type, rank ≥ 2; sequence_lens, int64 [batch], from 0 to the time axis's extent. Outputs: Y, as
/// input. Attributes: `batch_axis` (1), `time_axis` (0): 0 and 1 or 1 and 0. Source: ONNX ReverseSequence-10.
package struct ReverseSequence: Operator {
    package static let type = "ReverseSequence"

    private let batchAxis: Int
    private let timeAxis: Int

    package init(_ attributes: inout AttributeReader) throws(GraphError) {
        batchAxis = try attributes.integer("batch_axis", default: 1, in: 0...1)
        timeAxis = try attributes.integer("time_axis", default: 0, in: 0...1)
        guard batchAxis != timeAxis else {
            throw .attribute(Self.type, name: "time_axis", reason: "is \(timeAxis), as is batch_axis")
        }
    }

    package var inputCount: ClosedRange<Int> { 2...2 }

    package func inferOutputs(_ inputs: [ValueInfo?], outputCount: Int) throws(GraphError) -> [ValueInfo] {
        let (input, lengths) = (try required(inputs, 0, "input"), try required(inputs, 1, "sequence_lens"))
        try requireRank(input, "input", 2...Int.max)
        try requireType(lengths, "sequence_lens", .int64)
        try requireShape(lengths, "sequence_lens", [input.dimensions?[batchAxis] ?? .unknown])
        return [try output(input.elementType, input.dimensions)]
    }

    package func evaluate(_ inputs: [ExactTensor?], outputCount: Int) throws(GraphError) -> [ExactTensor] {
        let shape = try outputShape(inputs)
        let input = try tensor(inputs, 0, "input")
        let lengths = try integers(inputs, 1, "sequence_lens")
        for length in lengths where length < 0 || length > Int64(shape[timeAxis]) {
            throw error("a sequence has a length of \(length), the time axis has \(shape[timeAxis]) elements")
        }
        let strides = shape.strides
        let offsets = (0..<shape.count).map { offset in
            let time = offset / strides[timeAxis] % shape[timeAxis]
            let length = Int(lengths[offset / strides[batchAxis] % shape[batchAxis]])
            return time < length ? offset + (length - 1 - 2 * time) * strides[timeAxis] : offset
        }
        return [input.taken(at: offsets, to: shape)]
    }
}
