import Tensors

/// Dropout as inference sees it: the identity.
///
/// Inputs: data, and since 12 ratio and training_mode (optional). Outputs: output, shaped as data, and mask: all true,
/// `bool` since 10, of data's element type before. Attributes: `ratio` (before 12), `seed` (since 12), both without
/// effect. Errors: training_mode is true. Source: ONNX Dropout-7, 10, 12, 13, 22.
package struct Dropout: Operator {
    package static let type = "Dropout"

    private let opset: Int

    package init(_ attributes: inout AttributeReader) throws(GraphError) {
        opset = attributes.opset
        attributes.ignore(opset < 12 ? "ratio" : "seed")
    }

    package var inputCount: ClosedRange<Int> { opset < 12 ? 1...1 : 1...3 }
    package var outputCount: ClosedRange<Int> { 1...2 }

    package func inferOutputs(_ inputs: [ValueInfo?], outputCount: Int) throws(GraphError) -> [ValueInfo] {
        let data = try required(inputs, 0, "data")
        try requireFloating(data, "data")
        if let mode = try optional(inputs, 2, "training_mode") {
            try requireType(mode, "training_mode", .bool)
            if let constant = mode.constant, ExactTensor(constant).integers?.contains(1) == true {
                throw trainingError
            }
        }
        let results = [
            try output(data.elementType, data.dimensions),
            ValueInfo(opset < 10 ? data.elementType : .bool, data.dimensions),
        ]
        return Array(results.prefix(max(1, outputCount)))
    }

    package func evaluate(_ inputs: [ExactTensor?], outputCount: Int) throws(GraphError) -> [ExactTensor] {
        _ = try outputShapes(inputs, outputCount: outputCount)
        let data = try tensor(inputs, 0, "data")
        if inputs.count > 2, inputs[2]?.integers?.contains(1) == true { throw trainingError }
        let mask =
            opset < 10
            ? ExactTensor(
                reals: [Double](repeating: 1, count: data.shape.count), shape: data.shape,
                elementType: data.elementType)
            : ExactTensor(
                integers: [Int64](repeating: 1, count: data.shape.count), shape: data.shape,
                elementType: .bool)
        return outputCount > 1 ? [data, mask] : [data]
    }

    private var trainingError: GraphError {
        error(
            "training_mode is true: the model was exported in training mode; call model.eval() and export again"
        )
    }
}
