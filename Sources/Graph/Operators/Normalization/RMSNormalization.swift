import Tensors

/// y = x/√(mean of x² + ε)·scale, the mean over all axes from `axis` on.
///
/// Inputs: X; scale, broadcast to X. Outputs: Y, shaped as X, of scale's element type. Attributes: `axis` (−1),
/// `epsilon` (1e-5), `stash_type` (1: the precision of the mean; the evaluation's is double).
/// Source: Zhang & Sennrich 2019; ONNX RMSNormalization-23.
package struct RMSNormalization: Operator {
    package static let type = "RMSNormalization"

    package let axis: Int
    package let epsilon: Double

    package init(_ attributes: inout AttributeReader) throws(GraphError) {
        axis = try attributes.integer("axis", default: -1)
        epsilon = Double(try attributes.real("epsilon", default: 1e-5))
        let number = try attributes.integer("stash_type", default: 1)
        guard let type = ElementType(onnxNumber: number), type.isFloatingPoint else {
            throw .attribute(Self.type, name: "stash_type", reason: "is \(number), expected a floating type")
        }
    }

    package var inputCount: ClosedRange<Int> { 2...2 }

    package func inferOutputs(_ inputs: [ValueInfo?], outputCount: Int) throws(GraphError) -> [ValueInfo] {
        let (x, scale) = (try required(inputs, 0, "X"), try required(inputs, 1, "scale"))
        try requireFloating(x, "X")
        try requireFloating(scale, "scale")
        if let rank = x.rank { _ = try normalized(axis, rank: rank) }
        try requireBroadcast(scale.dimensions, "scale", to: x.dimensions)
        return [try output(scale.elementType, x.dimensions)]
    }

    package func evaluate(_ inputs: [ExactTensor?], outputCount: Int) throws(GraphError) -> [ExactTensor] {
        let shape = try outputShape(inputs)
        let axis = try normalized(axis, rank: shape.rank)
        let scaleTensor = try tensor(inputs, 1, "scale")
        var values = try reals(inputs, 0, "X")
        let scale = try reals([scaleTensor.broadcast(to: shape)], 0, "scale")
        let run = shape.dimensions[axis...].reduce(1, *)
        for first in stride(from: 0, to: values.count, by: max(1, run)) {
            let range = first..<first + run
            let meanSquare = values[range].reduce(0) { $0 + $1 * $1 } / Double(run)
            let divisor = (meanSquare + epsilon).squareRoot()
            for index in range { values[index] = values[index] / divisor * scale[index] }
        }
        return [ExactTensor(reals: values, shape: shape, elementType: scaleTensor.elementType)]
    }
}
