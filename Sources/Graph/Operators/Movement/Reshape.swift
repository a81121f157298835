import Tensors

/// The same elements in another shape.
///
/// Inputs: data, any type; shape int64 [rank]: 0 keeps the extent at its position (unless `allowzero`), one −1 stands for
/// what is left. Outputs: reshaped. Attributes: `allowzero` (0, since 14). Errors: element counts that differ, two −1,
/// −1 beside an extent of 0. Source: ONNX Reshape-5, 13, 14, 19, 21, 23, 24, 25.
package struct Reshape: Operator {
    package static let type = "Reshape"

    package let allowsZero: Bool

    package init(_ attributes: inout AttributeReader) throws(GraphError) {
        allowsZero = attributes.opset >= 14 ? try attributes.flag("allowzero", default: false) : false
    }

    package var inputCount: ClosedRange<Int> { 2...2 }

    package func inferOutputs(_ inputs: [ValueInfo?], outputCount: Int) throws(GraphError) -> [ValueInfo] {
        let (data, shape) = (try required(inputs, 0, "data"), try required(inputs, 1, "shape"))
        try requireType(shape, "shape", .int64)
        try requireRank(shape, "shape", 1)
        guard let requested = shape.elements else {
            let rank = shape.dimensions?[0].value.flatMap {
                $0 <= ValueInfo.maximumFollowedElements ? $0 : nil
            }
            return [ValueInfo(data.elementType, rank.map { [Dimension](repeating: .unknown, count: $0) })]
        }
        let dimensions = try reshapedDimensions(data.dimensions, requested)
        let elements = dimensions.count <= 1 ? data.elements : nil
        return [try output(data.elementType, dimensions, elements: elements)]
    }

    package func evaluate(_ inputs: [ExactTensor?], outputCount: Int) throws(GraphError) -> [ExactTensor] {
        let shape = try outputShape(inputs)
        return [try tensor(inputs, 0, "data").reshaped(to: shape)]
    }

    private func reshapedDimensions(
        _ own: [Dimension]?, _ requested: [Dimension]
    ) throws(GraphError) -> [Dimension] {
        var result: [Dimension] = []
        var inferredAxis: Int?
        for (axis, dimension) in requested.enumerated() {
            switch dimension {
            case .known(0) where !allowsZero:
                if let own, axis >= own.count {
                    throw error("shape keeps the extent of axis \(axis), data has rank \(own.count)")
                }
                result.append(own?[axis] ?? .unknown)
            case .known(-1):
                guard inferredAxis == nil else { throw error("shape has more than one -1") }
                inferredAxis = axis
                result.append(.unknown)
            case .known(let extent) where extent < 0:
                throw error("shape has an extent of \(extent)")
            default: result.append(dimension)
            }
        }
        if let own { try balance(own, &result, inferredAxis) }
        return result
    }

    /// Checks the element counts as far as they are known and finds the extent of −1.
    private func balance(
        _ own: [Dimension], _ result: inout [Dimension], _ inferredAxis: Int?
    ) throws(GraphError) {
        var others = result
        if let inferredAxis { others.remove(at: inferredAxis) }
        // A symbol on both sides cancels: it is the same extent.
        var rest = own
        for symbol in others {
            guard case .symbol = symbol, let position = rest.firstIndex(of: symbol) else { continue }
            rest.remove(at: position)
            others.remove(at: others.firstIndex(of: symbol)!)
        }
        let (total, part) = (Dimension.product(rest), Dimension.product(others))
        guard let inferredAxis else {
            if let total = total.value, let part = part.value, total != part {
                throw error("data has \(total) elements, shape \(result) has \(part)")
            }
            return
        }
        if part == .known(0) { throw error("shape has -1 beside an extent of 0") }
        guard let divisor = part.value else { return }
        if let total = total.value {
            guard total.isMultiple(of: divisor) else {
                throw error("data has \(total) elements, they cannot be divided by \(divisor) for -1")
            }
            result[inferredAxis] = .known(total / divisor)
        } else if divisor == 1 {
            result[inferredAxis] = total
        } else {
            result[inferredAxis] = quotient(rest, divisor)
        }
    }

    /// The product of `factors`, one of them a symbol, by `divisor`: the symbol when the rest is the divisor.
    private func quotient(_ factors: [Dimension], _ divisor: Int) -> Dimension {
        let open = factors.filter { $0.value == nil }
        let known = Dimension.product(factors.filter { $0.value != nil })
        return open.count == 1 && known == .known(divisor) ? open[0] : .unknown
    }
}
