import Tensors

/// What becomes of an element of data and an update that meets it.
///
/// Updates that meet one element are applied in C order; without a reduction the last one stays.
package enum ScatterReduction: String, CaseIterable, Sendable {
    case none, add, mul, min, max

    /// The attribute `reduction`, of which opset 16 has none, add and mul, and 18 all.
    init(_ attributes: inout AttributeReader) throws(GraphError) {
        guard attributes.opset >= 16 else {
            self = .none
            return
        }
        self = try attributes.choice("reduction", default: .none)
        if attributes.opset < 18, self == .min || self == .max {
            throw .attribute(
                attributes.operatorType, name: "reduction",
                reason: "is '\(rawValue)', which is not known in opset \(attributes.opset)")
        }
    }

    /// data with the updates at `offsets`, one for each.
    func scatter(_ updates: ExactTensor, into data: ExactTensor, at offsets: [Int]) -> ExactTensor {
        switch (data.elements, updates.elements) {
        case (.reals(var values), .reals(let others)):
            for (offset, other) in zip(offsets, others) { values[offset] = combine(values[offset], other) }
            return ExactTensor(reals: values, shape: data.shape, elementType: data.elementType)
        case (.integers(var values), .integers(let others)):
            let order = IntegerOrder(data.elementType)
            for (offset, other) in zip(offsets, others) {
                values[offset] = combine(values[offset], other, order)
            }
            return ExactTensor(integers: values, shape: data.shape, elementType: data.elementType)
        default: return data
        }
    }

    private func combine(_ a: Double, _ b: Double) -> Double {
        switch self {
        case .none: b
        case .add: a + b
        case .mul: a * b
        case .min: Min.combine(a, b)
        case .max: Max.combine(a, b)
        }
    }

    private func combine(_ a: Int64, _ b: Int64, _ order: IntegerOrder) -> Int64 {
        switch self {
        case .none: b
        case .add: a &+ b
        case .mul: a &* b
        case .min: Min.combine(a, b, order: order)
        case .max: Max.combine(a, b, order: order)
        }
    }
}
