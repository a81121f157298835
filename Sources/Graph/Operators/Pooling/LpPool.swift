import Glibc
import Tensors

/// The p-norm of the elements under a window.
///
/// Shapes: see `Pool`. Attributes: those of `Pool`, `p` (2), `dilations` and `ceil_mode` (since 18).
/// Source: ONNX LpPool-2, 11, 18, 22.
package struct LpPool: Pool {
    package static let type = "LpPool"

    package let window: Window
    package let roundsUp: Bool
    package let p: Int

    package init(_ attributes: inout AttributeReader) throws(GraphError) {
        window = try Self.requiredWindow(&attributes, hasDilations: attributes.opset >= 18)
        roundsUp = attributes.opset >= 18 ? try attributes.flag("ceil_mode", default: false) : false
        p = try attributes.integer("p", default: 2, in: 1...AttributeReader.maximumExtent)
    }

    package func evaluate(_ inputs: [ExactTensor?], outputCount: Int) throws(GraphError) -> [ExactTensor] {
        let target = try outputShape(inputs)
        let (x, values) = (try tensor(inputs, 0, "X"), try reals(inputs, 0, "X"))
        let strides = x.shape.strides.dropFirst(2)
        var result: [Double] = []
        result.reserveCapacity(target.count)
        forEachWindow(of: x.shape, axes: try resolvedAxes(x.shape), count: target.count) { base, spans in
            var sum = 0.0
            spans.forEachOffset(strides: strides) { sum += pow(abs(values[base + $0]), Double(p)) }
            result.append(pow(sum, 1 / Double(p)))
        }
        return [ExactTensor(reals: result, shape: target, elementType: x.elementType)]
    }
}
