import Graph
import Tensors

/// A constant that is broadcast against a value with channels, sent through the affine of those channels:
/// c′ = a⊙c + b.
struct ChannelConstant {
    /// The rank and the channel axis of the value that the constant is added to.
    let rank: Int
    let axis: Int

    /// The most elements that c′ may have unless c has as many: one column grows to a matrix.
    static let maximumElementCount = 1 << 24

    /// `factor`·c through the affine, in as few dimensions as the broadcast needs: (), (1), (N) and (1,N) give (N) for
    /// rank 2 and axis 1, (M,1) gives (M,N). With `keepsRank` no dimension of c goes.
    func through(
        _ affine: Affine, constant: Tensor?, factor: Double = 1, keepsRank: Bool = false, type: ElementType
    ) throws(FoldRefusal) -> Tensor {
        let channels = affine.scale.count
        var dimensions = constant?.shape.dimensions ?? []
        guard dimensions.count <= rank else { throw FoldRefusal("the bias has more axes than the output") }
        while !keepsRank, dimensions.count > rank - axis, dimensions.first == 1 { dimensions.removeFirst() }
        dimensions = Array(repeating: 1, count: max(0, rank - axis - dimensions.count)) + dimensions
        let channelAxis = dimensions.count - (rank - axis)
        guard dimensions[channelAxis] == 1 || dimensions[channelAxis] == channels else {
            throw FoldRefusal("the bias has \(dimensions[channelAxis]) channels, the output has \(channels)")
        }
        let isExpanded = dimensions[channelAxis] == 1
        let inner = dimensions[(channelAxis + 1)...].reduce(1, *)
        dimensions[channelAxis] = channels
        guard let shape = try? Shape(dimensions),
            shape.count <= max(Self.maximumElementCount, constant?.shape.count ?? 0)
        else {
            throw FoldRefusal("the folded bias would have more than \(Self.maximumElementCount) elements")
        }
        let values = constant?.reals ?? [0]
        let folded = (0..<shape.count).map { index in
            let channel = index / inner % channels
            let outer = index / inner / channels
            let source = isExpanded ? outer * inner + index % inner : index
            return affine.scale[channel] * (factor * values[source]) + affine.shift[channel]
        }
        return try Tensor.rounding(folded, shape: shape, to: type, role: "bias")
    }
}
