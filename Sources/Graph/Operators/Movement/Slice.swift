import Tensors

/// A part of the input: on each of `axes` the coordinates from `starts` up to but without `ends`, by `steps`.
///
/// Inputs: data, any type; since 10 starts, ends, axes and steps (vectors of one length, int32 or int64; the last two
/// optional). Outputs: output. Attributes, before 10: `starts`, `ends`, `axes`. Negative coordinates count from the end,
/// and those outside are held to the axis. Errors: a step of 0, an axis named twice.
/// Source: ONNX Slice-1, 10, 11, 13.
package struct Slice: Operator {
    package static let type = "Slice"

    private struct Bounds {
        var starts: [Int]
        var ends: [Int]
        var axes: [Int]?
    }

    /// For opsets before 10.
    private let stated: Bounds?

    package init(_ attributes: inout AttributeReader) throws(GraphError) {
        guard attributes.opset < 10 else {
            stated = nil
            return
        }
        guard let starts = try attributes.integers("starts"), let ends = try attributes.integers("ends")
        else {
            throw .attribute(Self.type, name: "starts, ends", reason: "are required")
        }
        stated = Bounds(starts: starts, ends: ends, axes: try attributes.integers("axes"))
    }

    package var inputCount: ClosedRange<Int> { stated == nil ? 3...5 : 1...1 }

    package func inferOutputs(_ inputs: [ValueInfo?], outputCount: Int) throws(GraphError) -> [ValueInfo] {
        let data = try required(inputs, 0, "data")
        guard let dimensions = data.dimensions else { return [ValueInfo(data.elementType, nil)] }
        guard let spans = try spans(inputs, dimensions: dimensions) else {
            return [
                ValueInfo(data.elementType, [Dimension](repeating: .unknown, count: dimensions.count))
            ]
        }
        var result = dimensions
        for (axis, span) in spans { result[axis] = span.count(of: dimensions[axis]) }
        return [try output(data.elementType, result, elements: followed(data, spans[0], result))]
    }

    package func evaluate(_ inputs: [ExactTensor?], outputCount: Int) throws(GraphError) -> [ExactTensor] {
        let shape = try outputShape(inputs)
        let data = try tensor(inputs, 0, "data")
        let infos = inputs.map { $0.map(ValueInfo.init) }
        guard let spans = try spans(infos, dimensions: data.shape.dimensions.map(Dimension.known)) else {
            throw error("starts, ends, axes and steps are not known")
        }
        var strides = data.shape.strides
        var offset = 0
        for (axis, span) in spans where shape.count > 0 {
            guard let run = span.run(in: data.shape[axis]) else { continue }
            offset += run.first * strides[axis]
            // A step past the end is taken by no second element.
            strides[axis] = shape[axis] > 1 ? strides[axis] * run.step : 0
        }
        return [data.strided(to: shape, strides: strides, offset: offset)]
    }

    /// What is taken of each sliced axis; `nil` when not even the axes are known.
    private func spans(
        _ inputs: [ValueInfo?], dimensions: [Dimension]
    ) throws(GraphError) -> [Int: SliceSpan]? {
        guard let starts = try vector(inputs, 1, "starts", stated?.starts),
            let ends = try vector(inputs, 2, "ends", stated?.ends)
        else { return nil }
        let hasAxes = stated?.axes != nil || (inputs.count > 3 && inputs[3] != nil)
        let axes =
            hasAxes ? try vector(inputs, 3, "axes", stated?.axes) : starts.indices.map(Dimension.known)
        let hasSteps = stated == nil && inputs.count > 4 && inputs[4] != nil
        let steps =
            hasSteps
            ? try vector(inputs, 4, "steps", nil) : [Dimension](repeating: .known(1), count: starts.count)
        guard let axes, let steps else { return nil }
        guard starts.count == ends.count, starts.count == axes.count, starts.count == steps.count else {
            throw error(
                "starts, ends, axes and steps have \(starts.count), \(ends.count), \(axes.count) and "
                    + "\(steps.count) elements")
        }
        if steps.contains(.known(0)) { throw error("a step is 0") }
        let known = axes.compactMap(\.value)
        guard known.count == axes.count else { return nil }
        var spans: [Int: SliceSpan] = [:]
        for (index, axis) in try normalized(known, rank: dimensions.count).enumerated() {
            spans[axis] = SliceSpan(start: starts[index], end: ends[index], step: steps[index])
        }
        return spans
    }

    private func vector(
        _ inputs: [ValueInfo?], _ index: Int, _ name: String, _ stated: [Int]?
    ) throws(GraphError) -> [Dimension]? {
        if let stated { return stated.map(Dimension.known) }
        let info = try required(inputs, index, name)
        try requireType(info, name, .int64, .int32)
        try requireRank(info, name, 1)
        return info.elements
    }

    /// The elements of a vector's part.
    private func followed(_ data: ValueInfo, _ span: SliceSpan?, _ result: [Dimension]) -> [Dimension]? {
        guard let elements = data.elements, result.count == 1 else { return nil }
        guard let span else { return elements }
        guard let run = span.run(in: elements.count), let count = result[0].value else { return nil }
        return (0..<count).map { elements[run.first + $0 * run.step] }
    }
}

/// What a Slice takes of one axis.
private struct SliceSpan {
    let start: Dimension
    let end: Dimension
    let step: Dimension

    /// A step that passes over every extent, small enough to be added to one.
    private static let greatestStep = Int.max / 4

    /// The first coordinate, the step and the end, held to an axis; `nil` when one is not known.
    func run(in extent: Int) -> (first: Int, step: Int, count: Int)? {
        guard let start = start.value, let end = end.value, let step = step.value, step != 0 else {
            return nil
        }
        let held = max(-Self.greatestStep, min(Self.greatestStep, step))
        func position(_ coordinate: Int, _ range: ClosedRange<Int>) -> Int {
            let counted = coordinate < 0 ? coordinate + extent : coordinate
            return min(range.upperBound, max(range.lowerBound, counted))
        }
        if held > 0 {
            let (first, last) = (position(start, 0...extent), position(end, 0...extent))
            return (first, held, max(0, (last - first + held - 1) / held))
        }
        guard extent > 0 else { return (0, held, 0) }
        let (first, last) = (position(start, 0...extent - 1), position(end, -1...extent - 1))
        return (first, held, max(0, (first - last - held - 1) / -held))
    }

    func count(of dimension: Dimension) -> Dimension {
        if let extent = dimension.value { return run(in: extent).map { .known($0.count) } ?? .unknown }
        guard step == .known(1), start == .known(0) else { return .unknown }
        // All of an axis whose extent is a symbol: up to the symbol, or past every extent, as exporters write it.
        if let end = end.value { return end >= Int(Int32.max) ? dimension : .unknown }
        return end == dimension ? dimension : .unknown
    }
}
