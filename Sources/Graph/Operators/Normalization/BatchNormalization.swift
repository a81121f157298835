import Tensors

/// Batch normalization by the running statistics: y = (x − mean)/√(var + ε)·scale + B, for each channel.
///
/// Inputs: X [N, C, …], scale, B, mean, var [C]. Outputs: Y, shaped as X. A vector X has one channel.
/// Attributes: `epsilon` (1e-5), `momentum` (training's), `spatial` (opset 7 and 8, must be 1), `training_mode` (since
/// 14, must be 0). Errors: training mode, by attribute or, before 14, by asking for more outputs than Y.
/// Source: Ioffe & Szegedy 2015; ONNX BatchNormalization-7, 9, 14, 15.
package struct BatchNormalization: Operator {
    package static let type = "BatchNormalization"

    package let epsilon: Double
    private let opset: Int

    private static let trainingReason =
        "the model was exported in training mode; call model.eval() and export again"

    package init(_ attributes: inout AttributeReader) throws(GraphError) {
        opset = attributes.opset
        epsilon = Double(try attributes.real("epsilon", default: 1e-5))
        attributes.ignore("momentum")
        if opset < 9, try !attributes.flag("spatial", default: true) {
            throw .attribute(
                Self.type, name: "spatial", reason: "is 0, only statistics for each channel are known")
        }
        if opset >= 14, try attributes.flag("training_mode", default: false) {
            throw .attribute(Self.type, name: "training_mode", reason: "is 1: " + Self.trainingReason)
        }
    }

    package var inputCount: ClosedRange<Int> { 5...5 }
    package var outputCount: ClosedRange<Int> { 1...5 }

    package func inferOutputs(_ inputs: [ValueInfo?], outputCount: Int) throws(GraphError) -> [ValueInfo] {
        guard outputCount <= 1 else {
            throw error("has \(outputCount) outputs: " + Self.trainingReason)
        }
        let x = try required(inputs, 0, "X")
        try requireFloating(x, "X")
        try requireRank(x, "X", 1...Int.max)
        var dimensions = x.dimensions
        var channels = dimensions.map { $0.count > 1 ? $0[1] : .known(1) } ?? .unknown
        for (index, name) in ["scale", "B", "mean", "var"].enumerated() {
            let parameter = try required(inputs, index + 1, name)
            try requireFloating(parameter, name)
            channels = try unifyChannels(channels, parameter, name)
        }
        if let rank = x.rank, rank > 1 { dimensions?[1] = channels }
        return [try output(x.elementType, dimensions)]
    }

    package func evaluate(_ inputs: [ExactTensor?], outputCount: Int) throws(GraphError) -> [ExactTensor] {
        _ = try outputShapes(inputs, outputCount: outputCount)
        let x = try tensor(inputs, 0, "X")
        var values = try reals(inputs, 0, "X")
        let (scale, shift) = (try reals(inputs, 1, "scale"), try reals(inputs, 2, "B"))
        let (mean, variance) = (try reals(inputs, 3, "mean"), try reals(inputs, 4, "var"))
        let inner = x.shape.dimensions.dropFirst(2).reduce(1, *)
        let divisors = variance.map { ($0 + epsilon).squareRoot() }
        for index in values.indices {
            let channel = index / inner % scale.count
            values[index] =
                (values[index] - mean[channel]) / divisors[channel] * scale[channel] + shift[channel]
        }
        return [ExactTensor(reals: values, shape: x.shape, elementType: x.elementType)]
    }
}
