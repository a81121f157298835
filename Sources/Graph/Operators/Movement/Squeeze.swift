import Tensors

/// The input without axes of extent 1.
///
/// Inputs: data, any type; axes (int64, since 13, optional). Outputs: squeezed. Attributes: `axes` (before 13; without
/// axes: every axis of extent 1). Errors: an axis whose extent is not 1.
/// Source: ONNX Squeeze-1, 11, 13, 21, 23, 24, 25.
package struct Squeeze: Operator {
    package static let type = "Squeeze"

    private let axes: AxesParameter

    package init(_ attributes: inout AttributeReader) throws(GraphError) {
        axes = try AxesParameter(&attributes, input: 1, sinceOpset: 13)
    }

    package var inputCount: ClosedRange<Int> { axes.inputIndex == nil ? 1...1 : 1...2 }

    package func inferOutputs(_ inputs: [ValueInfo?], outputCount: Int) throws(GraphError) -> [ValueInfo] {
        let data = try required(inputs, 0, "data")
        let result = try squeezed(data.dimensions, try axes.axes(inputs, of: self))
        return [
            try output(data.elementType, result, elements: (result?.count ?? 2) <= 1 ? data.elements : nil)
        ]
    }

    package func evaluate(_ inputs: [ExactTensor?], outputCount: Int) throws(GraphError) -> [ExactTensor] {
        let shape = try outputShape(inputs)
        return [try tensor(inputs, 0, "data").reshaped(to: shape)]
    }

    private func squeezed(
        _ dimensions: [Dimension]?, _ axes: AxesParameter.Axes
    ) throws(GraphError) -> [Dimension]? {
        guard let dimensions else { return nil }
        switch axes {
        case .absent:
            // An extent that is not known might be 1: then not even the rank follows.
            return dimensions.allSatisfy { $0.value != nil } ? dimensions.filter { $0 != .known(1) } : nil
        case .unknown(let count):
            guard let count, count <= dimensions.count else { return nil }
            return [Dimension](repeating: .unknown, count: dimensions.count - count)
        case .known(let stated):
            let axes = try normalized(stated, rank: dimensions.count)
            for axis in axes {
                if let extent = dimensions[axis].value, extent != 1 {
                    throw error("axis \(axis) has an extent of \(extent), expected 1")
                }
            }
            return dimensions.indices.filter { !axes.contains($0) }.map { dimensions[$0] }
        }
    }
}
