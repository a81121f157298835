import Tensors

/// How the elements of a tensor share scales and zero points: one for all, one for each entry of an axis, or one for each
/// block of entries of an axis.
///
/// Attributes: `axis` (1, since 13; before it all share one), `block_size` (0: no blocks; since 21).
struct Granularity: Sendable {
    private let axis: Int?
    private let blockSize: Int

    init(_ attributes: inout AttributeReader) throws(GraphError) {
        axis = attributes.opset >= 13 ? try attributes.integer("axis", default: 1) : nil
        blockSize =
            attributes.opset >= 21
            ? try attributes.integer("block_size", default: 0, in: 0...AttributeReader.maximumExtent) : 0
    }

    /// Checks the shape of scales or zero points: one element; or one for each entry of the axis; or x's shape, with one
    /// entry a block on the axis.
    func check(
        _ parameter: ValueInfo, _ name: String, for x: ValueInfo, of operation: some Operator
    ) throws(GraphError) {
        guard let rank = parameter.rank, let extents = x.dimensions else { return }
        // One that may turn out to have one element is for all, perhaps.
        if rank == 0 || (rank == 1 && (parameter.dimensions?[0].value ?? 1) == 1) { return }
        guard let axis else {
            throw operation.error(
                "\(name) \(parameter) is no scalar, and before opset 13 there is one for all")
        }
        let position = try operation.normalized(axis, rank: extents.count)
        guard blockSize > 0 else {
            return try operation.requireShape(parameter, name, [extents[position]])
        }
        var expected = extents
        expected[position] =
            extents[position].value.map { .known($0 / blockSize + ($0 % blockSize > 0 ? 1 : 0)) } ?? .unknown
        try operation.requireShape(parameter, name, expected)
    }

    /// The scale or zero point of each element of a tensor.
    func expanded(
        _ parameter: ExactTensor, to shape: Shape, of operation: some Operator
    ) throws(GraphError) -> ExactTensor {
        if parameter.shape.count == 1 { return parameter.reshaped(to: .scalar).broadcast(to: shape) }
        let axis = try operation.normalized(axis ?? 0, rank: shape.rank)
        if blockSize > 0 {
            return parameter.selected(to: shape) { place in
                place == axis ? (0..<shape[axis]).map { $0 / blockSize } : Array(0..<shape[place])
            }
        }
        var dimensions = [Int](repeating: 1, count: shape.rank)
        dimensions[axis] = parameter.shape.count
        return parameter.reshaped(to: try operation.checkedShape(dimensions)).broadcast(to: shape)
    }
}

/// The last step of every quantization: rounded to nearest, ties to even, moved by the zero point and held to the type's
/// range. NaN counts as 0.
struct Quantizer {
    /// What quantization can give: 8- and 16-bit integers.
    static let types: [ElementType] = [.int8, .uint8, .int16, .uint16]

    private let least: Double
    private let greatest: Double

    init(_ type: ElementType) {
        let order = IntegerOrder(type)
        (least, greatest) = (Double(order.least), Double(order.greatest))
    }

    func quantized(_ quotient: Double, zeroPoint: Int64) -> Int64 {
        let rounded = quotient.isNaN ? 0 : quotient.rounded(.toNearestOrEven)
        return Int64(max(least, min(greatest, rounded + Double(zeroPoint))))
    }
}
