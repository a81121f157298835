import Tensors

/// MatMul on 8-bit integers less their zero points, summed exactly: what MatMulInteger and QLinearMatMul share.
///
/// Scales and zero points are one for all; or one for each row of A or column of B, as a vector or with the operand's own
/// rank and an extent of 1 on the axis that is summed over.
enum IntegerProduct {
    enum Side { case left, right }

    /// The output's dimensions.
    static func infer(_ a: ValueInfo, _ b: ValueInfo, of operation: some Operator) throws(GraphError)
        -> [Dimension]?
    {
        do {
            let stand = [ValueInfo(.float64, a.dimensions), ValueInfo(.float64, b.dimensions)]
            return try MatMul().inferOutputs(stand, outputCount: 1)[0].dimensions
        } catch {
            throw error.renamed(operation)
        }
    }

    /// Checks the shape of scales or zero points.
    static func check(
        _ parameter: ValueInfo, _ name: String, for operand: ValueInfo, _ side: Side,
        of operation: some Operator
    ) throws(GraphError) {
        guard let dimensions = parameter.dimensions, let extents = operand.dimensions else { return }
        // One that may turn out to have one element is for all, perhaps.
        if dimensions.count <= 1, (dimensions.first?.value ?? 1) == 1 { return }
        guard extents.count >= 2 else {
            throw operation.error("\(name) \(parameter) is for rows or columns, its operand is a vector")
        }
        let kept = side == .left ? extents.count - 2 : extents.count - 1
        if dimensions.count == 1 { return try operation.requireShape(parameter, name, [extents[kept]]) }
        try operation.requireRank(parameter, name, extents.count)
        for axis in extents.indices where dimensions[axis] != .known(1) {
            let isSummed = axis >= extents.count - 2 && axis != kept
            let expected: Dimension = isSummed ? .known(1) : extents[axis]
            guard dimensions[axis].unified(with: expected) == nil else { continue }
            throw operation.error(
                "\(name) \(parameter) has an extent of \(dimensions[axis]) on axis \(axis), expected \(expected)"
            )
        }
    }

    /// The sums, which are integers, as matrices: [batch…, M, N], also where an operand is a vector.
    static func sums(
        _ a: ExactTensor, _ aZeroPoint: ExactTensor?, _ b: ExactTensor, _ bZeroPoint: ExactTensor?,
        of operation: some Operator
    ) throws(GraphError) -> ExactTensor {
        do {
            let operands = [
                try centered(a, aZeroPoint, .left, of: operation),
                try centered(b, bZeroPoint, .right, of: operation),
            ]
            return try MatMul().evaluate(operands, outputCount: 1)[0]
        } catch {
            throw error.renamed(operation)
        }
    }

    /// A scale or zero point as a matrix that can be broadcast to its operand and to the sums.
    static func matrix(
        _ parameter: ExactTensor, _ side: Side, of operation: some Operator
    ) throws(GraphError) -> ExactTensor {
        guard parameter.shape.rank == 1 else { return parameter }
        let count = parameter.shape.count
        return parameter.reshaped(
            to: try operation.checkedShape(side == .left ? [count, 1] : [1, count]))
    }

    private static func centered(
        _ tensor: ExactTensor, _ zeroPoint: ExactTensor?, _ side: Side, of operation: some Operator
    ) throws(GraphError) -> ExactTensor {
        var shape = tensor.shape
        if shape.rank == 1 {
            shape = try operation.checkedShape(side == .left ? [1, shape.count] : [shape.count, 1])
        }
        let values = try operation.integers([tensor], 0, "operand")
        var zeroPoints: [Int64]?
        if let zeroPoint {
            let matrix = try matrix(zeroPoint, side, of: operation)
            zeroPoints = try operation.integers([matrix.broadcast(to: shape)], 0, "zero point")
        }
        let result = values.indices.map { Double(values[$0] - (zeroPoints?[$0] ?? 0)) }
        return ExactTensor(reals: result, shape: shape, elementType: .float64)
    }
}
