import Tensors

/// The axes of an operator that states them as an attribute in older operator sets and as an input in newer ones.
struct AxesParameter: Sendable {
    enum Axes {
        case absent
        /// As the model states them: negative ones count from the end.
        case known([Int])
        /// An input whose elements are not known yet; their count may be.
        case unknown(count: Int?)
    }

    let stated: [Int]?
    /// The position of the input, for the operator sets that have one.
    let inputIndex: Int?

    init(
        _ attributes: inout AttributeReader, attribute: String = "axes", input inputIndex: Int,
        sinceOpset: Int
    ) throws(GraphError) {
        if attributes.opset < sinceOpset {
            stated = try attributes.integers(attribute)
            self.inputIndex = nil
        } else {
            stated = nil
            self.inputIndex = inputIndex
        }
    }

    func axes(_ inputs: [ValueInfo?], of operation: some Operator) throws(GraphError) -> Axes {
        if let stated { return .known(stated) }
        guard let inputIndex, let info = try operation.optional(inputs, inputIndex, "axes") else {
            return .absent
        }
        try operation.requireType(info, "axes", .int64, .int32)
        try operation.requireRank(info, "axes", 0...1)
        if let known = info.knownElements { return .known(known) }
        if let count = info.dimensions?.first?.value, count > ValueInfo.maximumFollowedElements {
            throw operation.error(
                "axes has \(count) elements, at most \(ValueInfo.maximumFollowedElements) are followed")
        }
        return .unknown(count: info.dimensions.flatMap { $0.isEmpty ? 1 : $0[0].value })
    }

    /// The axes of one evaluation.
    func axes(_ inputs: [ExactTensor?], of operation: some Operator) throws(GraphError) -> [Int]? {
        if let stated { return stated }
        guard let inputIndex, inputIndex < inputs.count, inputs[inputIndex] != nil else { return nil }
        return try operation.integers(inputs, inputIndex, "axes").map { Int($0) }
    }
}
