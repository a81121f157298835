import Tensors

/// The negative log likelihood of labels, for each sample or over all: what both losses share.
///
/// Attributes: `reduction` (`mean`, divided by the sum of the applied weights; `sum`, `none`) and `ignore_index`
/// (a label whose loss and weight are 0).
struct LikelihoodLoss: Sendable {
    enum Reduction: String, CaseIterable, Sendable { case mean, sum, none }

    let reduction: Reduction
    let ignoredLabel: Int?

    init(_ attributes: inout AttributeReader) throws(GraphError) {
        reduction = try attributes.choice("reduction", default: .mean)
        ignoredLabel = try attributes.integer("ignore_index")
    }

    /// The loss's element type and dimensions, of log probabilities [N, C, D1…], labels [N, D1…] and weights [C].
    func infer(
        _ inputs: [ValueInfo?], names: [String], of operation: some Operator
    ) throws(GraphError) -> ValueInfo {
        let scores = try operation.required(inputs, 0, names[0])
        let labels = try operation.required(inputs, 1, names[1])
        try operation.requireFloating(scores, names[0])
        try operation.requireType(labels, names[1], .int64, .int32)
        try operation.requireRank(scores, names[0], 2...Int.max)
        try operation.requireRank(labels, names[1], 1...Int.max)
        if let weights = try operation.optional(inputs, 2, names[2]) {
            _ = try operation.commonType(scores, names[0], weights, names[2])
            try operation.requireRank(weights, names[2], 1)
            let classes = scores.dimensions?[1] ?? .unknown
            guard classes.unified(with: weights.dimensions?[0] ?? .unknown) != nil else {
                throw operation.error(
                    "\(names[2]) \(weights) has not \(classes) elements, one for each class")
            }
        }
        var dimensions = labels.dimensions
        if let own = scores.dimensions {
            try operation.requireRank(labels, names[1], own.count - 1)
            let expected = [own[0]] + own[2...]
            var unified: [Dimension] = []
            for (one, other) in zip(expected, labels.dimensions ?? expected) {
                guard let extent = one.unified(with: other) else {
                    throw operation.error("\(names[0]) is \(scores), \(names[1]) is \(labels)")
                }
                unified.append(extent)
            }
            dimensions = unified
        }
        return try operation.output(scores.elementType, reduction == .none ? dimensions : [])
    }

    /// `probabilities`: their logarithms, [N, C, D1…].
    func evaluate(
        _ probabilities: [Double], _ shape: Shape, _ inputs: [ExactTensor?], to target: Shape,
        of operation: some Operator
    ) throws(GraphError) -> [Double] {
        let labels = try operation.integers(inputs, 1, "labels")
        let weights = try operation.optionalReals(inputs, 2, "weights")
        let (classes, inner) = (shape[1], shape.dimensions.dropFirst(2).reduce(1, *))
        var (losses, sum, weightSum) = ([Double](), 0.0, 0.0)
        for (index, label) in labels.enumerated() {
            if let ignoredLabel, Int(label) == ignoredLabel {
                losses.append(0)
                continue
            }
            guard (0..<Int64(classes)).contains(label) else {
                throw operation.error("a label is \(label), there are \(classes) classes")
            }
            let weight = weights?[Int(label)] ?? 1
            let position = (index / inner * classes + Int(label)) * inner + index % inner
            losses.append(-probabilities[position] * weight)
            sum += losses[index]
            weightSum += weight
        }
        return switch reduction {
        case .none: losses
        case .sum: [sum]
        case .mean: [sum / weightSum]
        }
    }
}

/// See `LikelihoodLoss`.
///
/// Inputs: input [N, C, D1…], logarithms of probabilities; target [N, D1…], int32 or int64; weight [C] (optional).
/// Outputs: loss, a scalar or [N, D1…]. Source: ONNX NegativeLogLikelihoodLoss-12, 13, 22.
package struct NegativeLogLikelihoodLoss: Operator {
    package static let type = "NegativeLogLikelihoodLoss"

    private let loss: LikelihoodLoss

    package init(_ attributes: inout AttributeReader) throws(GraphError) {
        loss = try LikelihoodLoss(&attributes)
    }

    package var inputCount: ClosedRange<Int> { 2...3 }

    package func inferOutputs(_ inputs: [ValueInfo?], outputCount: Int) throws(GraphError) -> [ValueInfo] {
        [try loss.infer(inputs, names: ["input", "target", "weight"], of: self)]
    }

    package func evaluate(_ inputs: [ExactTensor?], outputCount: Int) throws(GraphError) -> [ExactTensor] {
        let target = try outputShape(inputs)
        let input = try tensor(inputs, 0, "input")
        let result = try loss.evaluate(
            try reals(inputs, 0, "input"), input.shape, inputs, to: target, of: self)
        return [ExactTensor(reals: result, shape: target, elementType: input.elementType)]
    }
}

/// See `LikelihoodLoss`; the probabilities are the softmax of scores.
///
/// Inputs: scores [N, C, D1…]; labels [N, D1…], int32 or int64; weights [C] (optional). Outputs: output, a scalar or
/// [N, D1…]; log_prob, shaped as scores. Source: ONNX SoftmaxCrossEntropyLoss-12, 13.
package struct SoftmaxCrossEntropyLoss: Operator {
    package static let type = "SoftmaxCrossEntropyLoss"

    private let loss: LikelihoodLoss

    package init(_ attributes: inout AttributeReader) throws(GraphError) {
        loss = try LikelihoodLoss(&attributes)
    }

    package var inputCount: ClosedRange<Int> { 2...3 }
    package var outputCount: ClosedRange<Int> { 1...2 }

    package func inferOutputs(_ inputs: [ValueInfo?], outputCount: Int) throws(GraphError) -> [ValueInfo] {
        let result = try loss.infer(inputs, names: ["scores", "labels", "weights"], of: self)
        let scores = try required(inputs, 0, "scores")
        let results = [result, try output(scores.elementType, scores.dimensions)]
        return Array(results.prefix(max(1, outputCount)))
    }

    package func evaluate(_ inputs: [ExactTensor?], outputCount: Int) throws(GraphError) -> [ExactTensor] {
        let target = try outputShape(inputs)
        let scores = try tensor(inputs, 0, "scores")
        let logarithms = try LogSoftmax(axis: 1, coercesToMatrix: false).evaluate([scores], outputCount: 1)
        let result = try loss.evaluate(
            try reals([logarithms[0]], 0, "scores"), scores.shape, inputs, to: target, of: self)
        let output = ExactTensor(reals: result, shape: target, elementType: scores.elementType)
        return outputCount > 1 ? [output, logarithms[0]] : [output]
    }
}
