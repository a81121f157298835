import Tensors

/// The input with new axes of extent 1; `axes` are positions in the output.
///
/// Inputs: data, any type; axes (int64, since 13). Outputs: expanded. Attributes: `axes` (before 13; required).
/// Source: ONNX Unsqueeze-1, 11, 13, 21, 23, 24, 25.
package struct Unsqueeze: Operator {
    package static let type = "Unsqueeze"

    private let axes: AxesParameter

    package init(_ attributes: inout AttributeReader) throws(GraphError) {
        axes = try AxesParameter(&attributes, input: 1, sinceOpset: 13)
        if axes.inputIndex == nil, axes.stated == nil {
            throw .attribute(Self.type, name: "axes", reason: "is required")
        }
    }

    package var inputCount: ClosedRange<Int> { axes.inputIndex == nil ? 1...1 : 2...2 }

    package func inferOutputs(_ inputs: [ValueInfo?], outputCount: Int) throws(GraphError) -> [ValueInfo] {
        let data = try required(inputs, 0, "data")
        switch try axes.axes(inputs, of: self) {
        case .absent: throw error("the input axes is absent")
        case .unknown(let count):
            guard let count, let rank = data.rank else { return [ValueInfo(data.elementType, nil)] }
            return [ValueInfo(data.elementType, [Dimension](repeating: .unknown, count: rank + count))]
        case .known(let stated):
            guard let dimensions = data.dimensions else { return [ValueInfo(data.elementType, nil)] }
            guard stated.count <= ValueInfo.maximumFollowedElements else {
                throw error("has \(stated.count) axes, the most is \(ValueInfo.maximumFollowedElements)")
            }
            let rank = dimensions.count + stated.count
            let axes = Set(try normalized(stated, rank: rank))
            var rest = dimensions.makeIterator()
            let result = (0..<rank).map { axes.contains($0) ? .known(1) : rest.next() ?? .unknown }
            return [
                try output(data.elementType, result, elements: rank <= 1 ? data.elements : nil)
            ]
        }
    }

    package func evaluate(_ inputs: [ExactTensor?], outputCount: Int) throws(GraphError) -> [ExactTensor] {
        let shape = try outputShape(inputs)
        return [try tensor(inputs, 0, "data").reshaped(to: shape)]
    }
}
