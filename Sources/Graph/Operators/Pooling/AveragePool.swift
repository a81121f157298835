import Tensors

/// The mean of the elements under a window.
///
/// Shapes: see `Pool`. Attributes: those of `Pool` (`ceil_mode` since 10), `dilations` (since 19) and `count_include_pad`
/// (0): whether the divisor counts the pads; what overhangs them by `ceil_mode` never counts. A window that holds no element
/// gives NaN.
/// Source: ONNX AveragePool-7, 10, 11, 19, 22.
package struct AveragePool: Pool {
    package static let type = "AveragePool"

    package let window: Window
    package let roundsUp: Bool
    package let countsPads: Bool

    package init(_ attributes: inout AttributeReader) throws(GraphError) {
        window = try Self.requiredWindow(&attributes, hasDilations: attributes.opset >= 19)
        roundsUp = attributes.opset >= 10 ? try attributes.flag("ceil_mode", default: false) : false
        countsPads = try attributes.flag("count_include_pad", default: false)
    }

    package func evaluate(_ inputs: [ExactTensor?], outputCount: Int) throws(GraphError) -> [ExactTensor] {
        let target = try outputShape(inputs)
        let (x, values) = (try tensor(inputs, 0, "X"), try reals(inputs, 0, "X"))
        let strides = x.shape.strides.dropFirst(2)
        var result: [Double] = []
        result.reserveCapacity(target.count)
        forEachWindow(of: x.shape, axes: try resolvedAxes(x.shape), count: target.count) { base, spans in
            var sum = 0.0
            spans.forEachOffset(strides: strides) { sum += values[base + $0] }
            // As a Double: a window over large pads may span more elements than an Int counts.
            let divisor = spans.reduce(1.0) { $0 * Double(countsPads ? $1.paddedCount : $1.count) }
            result.append(sum / divisor)
        }
        return [ExactTensor(reals: result, shape: target, elementType: x.elementType)]
    }
}
