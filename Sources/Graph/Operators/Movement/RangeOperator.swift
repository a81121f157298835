import Tensors

/// start, start + delta, … up to but without limit.
///
/// Inputs: start, limit and delta, scalars of one number type. Outputs: output [⌈(limit − start)/delta⌉]. Errors: a delta
/// of 0, a difference that Int64 cannot hold. Source: ONNX Range-11.
package struct RangeOperator: Operator {
    package static let type = "Range"

    package init(_ attributes: inout AttributeReader) {}

    package var inputCount: ClosedRange<Int> { 3...3 }

    package func inferOutputs(_ inputs: [ValueInfo?], outputCount: Int) throws(GraphError) -> [ValueInfo] {
        var first = try required(inputs, 0, "start")
        for (index, name) in ["start", "limit", "delta"].enumerated() {
            let info = try required(inputs, index, name)
            first.elementType = try commonType(first, "start", info, name)
            try requireRank(info, name, 0...1)
            if let dimensions = info.dimensions, Dimension.product(dimensions).value ?? 1 != 1 {
                throw error("\(name) \(info) is no scalar")
            }
        }
        try requireNumbers(first, "start")
        return [try output(first.elementType, [try count(inputs).map { .known($0) } ?? .unknown])]
    }

    package func evaluate(_ inputs: [ExactTensor?], outputCount: Int) throws(GraphError) -> [ExactTensor] {
        let shape = try outputShape(inputs)
        let (start, delta) = (try tensor(inputs, 0, "start"), try tensor(inputs, 2, "delta"))
        if let first = start.reals?.first, let step = delta.reals?.first {
            let result = (0..<shape.count).map { first + Double($0) * step }
            return [ExactTensor(reals: result, shape: shape, elementType: start.elementType)]
        }
        guard let first = start.integers?.first, let step = delta.integers?.first else {
            throw error("start and delta are of different types")
        }
        let result = (0..<shape.count).map { first &+ Int64($0) &* step }
        return [ExactTensor(integers: result, shape: shape, elementType: start.elementType)]
    }

    private func count(_ inputs: [ValueInfo?]) throws(GraphError) -> Int? {
        let integers = inputs.compactMap { $0?.knownElements?.first }
        if integers.count == 3 {
            let (difference, overflow) = integers[1].subtractingReportingOverflow(integers[0])
            guard integers[2] != 0 else { throw error("delta is 0") }
            guard !overflow, difference != .min else { throw error("start and limit are too far apart") }
            guard difference.signum() == integers[2].signum() else { return 0 }
            let (quotient, rest) = difference.magnitude.quotientAndRemainder(
                dividingBy: integers[2].magnitude)
            return Int(quotient) + (rest > 0 ? 1 : 0)
        }
        let reals = inputs.compactMap { $0?.knownReals?.first }
        guard reals.count == 3 else { return nil }
        guard reals[2] != 0 else { throw error("delta is 0") }
        guard let count = Int(exactly: ((reals[1] - reals[0]) / reals[2]).rounded(.up)) else {
            throw error("start \(reals[0]), limit \(reals[1]) and delta \(reals[2]) give no range")
        }
        return max(0, count)
    }
}
