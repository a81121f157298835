import Tensors

/// The greatest element under a window, and where it is.
///
/// Outputs: Y, see `Pool`, and Indices (since 8; int64, shaped as Y): the position in X as one number. Types: floating,
/// int8 and uint8. Attributes: those of `Pool` (`ceil_mode` since 10), `dilations` (since 10) and `storage_order` (since 8;
/// 0: positions count the last axis fastest; 1: the first spatial axis). NaN wins; a window that holds no element gives the
/// least value and its channel's first position.
/// Source: ONNX MaxPool-1, 8, 10, 11, 12, 22.
package struct MaxPool: Pool {
    package static let type = "MaxPool"

    package let window: Window
    package let roundsUp: Bool
    package let countsFirstAxisFastest: Bool
    private let makesIndices: Bool

    package init(_ attributes: inout AttributeReader) throws(GraphError) {
        window = try Self.requiredWindow(&attributes, hasDilations: attributes.opset >= 10)
        roundsUp = attributes.opset >= 10 ? try attributes.flag("ceil_mode", default: false) : false
        makesIndices = attributes.opset >= 8
        countsFirstAxisFastest = makesIndices ? try attributes.flag("storage_order", default: false) : false
    }

    package var outputCount: ClosedRange<Int> { makesIndices ? 1...2 : 1...1 }

    package func inferOutputs(_ inputs: [ValueInfo?], outputCount: Int) throws(GraphError) -> [ValueInfo] {
        let x = try required(inputs, 0, "X")
        if x.elementType?.isFloatingPoint == false { try requireType(x, "X", .int8, .uint8) }
        let dimensions = try pooledDimensions(x)
        let results = [try output(x.elementType, dimensions), ValueInfo(.int64, dimensions)]
        return Array(results.prefix(max(1, outputCount)))
    }

    package func evaluate(_ inputs: [ExactTensor?], outputCount: Int) throws(GraphError) -> [ExactTensor] {
        let target = try outputShape(inputs)
        let x = try tensor(inputs, 0, "X")
        let values: [Double]
        switch x.elements {
        case .reals(let reals): values = reals
        case .integers(let integers): values = integers.map(Double.init)
        }
        let least = x.elementType == .int8 ? -128.0 : x.elementType == .uint8 ? 0 : -Double.infinity
        let strides = x.shape.strides.dropFirst(2)
        var (maxima, positions): ([Double], [Int64]) = ([], [])
        forEachWindow(of: x.shape, axes: try resolvedAxes(x.shape), count: target.count) { base, spans in
            var (maximum, position) = (least, base)
            var isFirst = true
            spans.forEachOffset(strides: strides) { offset in
                let value = values[base + offset]
                guard isFirst || value > maximum || (value.isNaN && !maximum.isNaN) else { return }
                (maximum, position, isFirst) = (value, base + offset, false)
            }
            maxima.append(maximum)
            if outputCount > 1 { positions.append(Int64(ordered(position, x.shape))) }
        }
        var results = [
            x.elementType.isFloatingPoint
                ? ExactTensor(reals: maxima, shape: target, elementType: x.elementType)
                : ExactTensor(integers: maxima.map { Int64($0) }, shape: target, elementType: x.elementType)
        ]
        if outputCount > 1 {
            results.append(ExactTensor(integers: positions, shape: target, elementType: .int64))
        }
        return results
    }

    /// A position in C order, counted by `storage_order`.
    private func ordered(_ position: Int, _ shape: Shape) -> Int {
        guard countsFirstAxisFastest else { return position }
        let spatial = shape.dimensions.dropFirst(2)
        let channelStride = spatial.reduce(1, *)
        var (rest, result, stride) = (position % channelStride, 0, 1)
        let strides = shape.strides.dropFirst(2)
        for (extent, ownStride) in zip(spatial, strides) {
            result += rest / ownStride * stride
            rest %= ownStride
            stride *= extent
        }
        return position / channelStride * channelStride + result
    }
}
