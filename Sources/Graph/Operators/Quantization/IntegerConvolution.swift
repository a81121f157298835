import Tensors

/// Conv on 8-bit integers less their zero points, summed exactly: what ConvInteger and QLinearConv share.
struct IntegerConvolution: Sendable {
    private let convolution: Conv

    init(_ attributes: inout AttributeReader) throws(GraphError) { convolution = try Conv(&attributes) }

    /// The output's dimensions. Zero points are of their operand's type: one for x, one or one an output channel for w.
    func infer(
        x: ValueInfo, xZeroPoint: ValueInfo?, w: ValueInfo, wZeroPoint: ValueInfo?,
        of operation: some Operator
    ) throws(GraphError) -> [Dimension]? {
        try operation.requireType(x, "x", .int8, .uint8)
        try operation.requireType(w, "w", .int8, .uint8)
        if let xZeroPoint {
            _ = try operation.commonType(x, "x", xZeroPoint, "x_zero_point")
            try operation.requireOneElement(xZeroPoint, "x_zero_point")
        }
        if let wZeroPoint {
            _ = try operation.commonType(w, "w", wZeroPoint, "w_zero_point")
            try requireForChannels(wZeroPoint, "w_zero_point", w, of: operation)
        }
        do {
            let stand = [ValueInfo(.float64, x.dimensions), ValueInfo(.float64, w.dimensions)]
            return try convolution.inferOutputs(stand, outputCount: 1)[0].dimensions
        } catch {
            throw error.renamed(operation)
        }
    }

    /// Checks for one element, or one for each of w's output channels.
    func requireForChannels(
        _ parameter: ValueInfo, _ name: String, _ w: ValueInfo, of operation: some Operator
    ) throws(GraphError) {
        try operation.requireRank(parameter, name, 0...1)
        guard let extent = parameter.dimensions?.first, extent != .known(1) else { return }
        let channels = w.dimensions?.first ?? .unknown
        guard channels.unified(with: extent) == nil else { return }
        throw operation.error("w has \(channels) output channels, \(name) has \(extent)")
    }

    /// The sums, which are integers.
    func sums(
        x: ExactTensor, xZeroPoint: ExactTensor?, w: ExactTensor, wZeroPoint: ExactTensor?,
        of operation: some Operator
    ) throws(GraphError) -> [Double] {
        do {
            let operands = [centered(x, xZeroPoint), centered(w, wZeroPoint)]
            return try convolution.evaluate(operands, outputCount: 1)[0].reals ?? []
        } catch {
            throw error.renamed(operation)
        }
    }

    /// The elements less the zero point: one for all, or one for each entry of the first axis.
    private func centered(_ tensor: ExactTensor, _ zeroPoint: ExactTensor?) -> ExactTensor {
        let values = tensor.integers ?? []
        let zeroPoints = zeroPoint?.integers ?? [0]
        let entry = zeroPoints.isEmpty ? 1 : max(1, values.count / zeroPoints.count)
        let result = values.indices.map { Double(values[$0] - zeroPoints[$0 / entry]) }
        return ExactTensor(reals: result, shape: tensor.shape, elementType: .float64)
    }
}

extension GraphError {
    /// What an operator's part threw, as the operator's own error.
    func renamed(_ operation: some Operator) -> GraphError {
        if case .input(_, let reason) = self { operation.error(reason) } else { self }
    }
}
