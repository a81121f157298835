import Glibc
import Tensors

/// Local response normalization: x/(bias + alpha/size·Σ x²)^beta, the sum over `size` channels around each.
///
/// Inputs: X [N, C, D1…]. Outputs: Y, shaped as X. Attributes: `size` (required), `alpha` (1e-4), `beta` (0.75), `bias`
/// (1). Source: Krizhevsky et al. 2012, §3.3; ONNX LRN-1, 13.
package struct LRN: Operator {
    package static let type = "LRN"

    package let size: Int
    package let alpha: Double
    package let beta: Double
    package let bias: Double

    package init(_ attributes: inout AttributeReader) throws(GraphError) {
        guard let size = try attributes.integer("size", in: 1...AttributeReader.maximumExtent) else {
            throw .attribute(Self.type, name: "size", reason: "is required")
        }
        self.size = size
        alpha = Double(try attributes.real("alpha", default: 1e-4))
        beta = Double(try attributes.real("beta", default: 0.75))
        bias = Double(try attributes.real("bias", default: 1))
    }

    package var inputCount: ClosedRange<Int> { 1...1 }

    package func inferOutputs(_ inputs: [ValueInfo?], outputCount: Int) throws(GraphError) -> [ValueInfo] {
        let x = try required(inputs, 0, "X")
        try requireFloating(x, "X")
        try requireRank(x, "X", 2...Int.max)
        return [try output(x.elementType, x.dimensions)]
    }

    package func evaluate(_ inputs: [ExactTensor?], outputCount: Int) throws(GraphError) -> [ExactTensor] {
        let shape = try outputShape(inputs)
        let values = try reals(inputs, 0, "X")
        let inner = shape.dimensions.dropFirst(2).reduce(1, *)
        let channels = shape[1]
        let result = values.indices.map { index in
            let channel = index / inner % channels
            let first = max(0, channel - (size - 1) / 2)
            let last = min(channels - 1, channel + size / 2)
            var sum = 0.0
            for other in first...last {
                let value = values[index + (other - channel) * inner]
                sum += value * value
            }
            return values[index] / pow(bias + alpha / Double(size) * sum, beta)
        }
        return [
            ExactTensor(reals: result, shape: shape, elementType: try tensor(inputs, 0, "X").elementType)
        ]
    }
}
