import Graph
import Tensors

/// A node some of whose inputs have a batch axis.
struct BatchedCall {
    let node: Node
    /// Of each input; `nil`: the same for all items.
    let axes: [Int?]
    /// The inputs that depend on how many items there are.
    let extents: [Int]
    let values: [String: ValueInfo]

    /// The axis of the items in each output; `nil` when items may be mixed.
    func outputAxes() -> [Int]? {
        if node.operation.isRecurrentLayer { return extents.isEmpty ? recurrentAxes() : nil }
        return outputAxis().map { [Int](repeating: $0, count: node.outputs.count) }
    }

    private func outputAxis() -> Int? {
        // Only what states a shape may depend on the number of items: it shows in the outputs' shapes.
        switch node.type {
        case "Reshape", "Expand": guard extents.allSatisfy({ $0 == 1 }) else { return nil }
        case "Resize": guard extents.allSatisfy({ $0 == 3 }) else { return nil }
        default: guard extents.isEmpty else { return nil }
        }
        switch node.operation.family {
        case .rows(let rows): return rowAxis(rows)
        case .elementwise: return broadcastAxis()
        default: break
        }
        switch node.operation {
        case is Identity, is Cast, is CastLike, is Dropout, is Clip, is Shrink, is Not, is BitwiseNot,
            is IsNaN, is IsInf, is Where, is PRelu, is Pow:
            return broadcastAxis()
        case let affine as Affine: return axes[0] == affine.axis ? nil : axes[0]
        case is Conv, is ConvTranspose, is ConvInteger, is QLinearConv, is AveragePool, is LpPool,
            is GlobalAveragePool, is GlobalMaxPool, is GlobalLpPool, is InstanceNormalization,
            is GroupNormalization, is LRN, is DepthToSpace, is SpaceToDepth:
            return onlyFirst() == 0 ? 0 : nil
        case is MaxPool, is BatchNormalization:
            // A maximum's index counts from the batch's first element, a training step looks at the whole batch.
            return onlyFirst() == 0 && outputCount == 1 ? 0 : nil
        case is GridSample: return axes.allSatisfy { $0 == 0 } ? 0 : nil
        case is Gemm, is MatMul: return productAxis()
        case is LayerNormalization, is RMSNormalization: return normalizationAxis()
        case is LpNormalization: return axisOtherThan(integer("axis", -1))
        case is QuantizeLinear, is DequantizeLinear: return quantizationAxis()
        default: return movementAxis()
        }
    }

    // MARK: Parts

    func dimensions(_ index: Int) -> [Dimension]? {
        node.input(index).flatMap { values[$0]?.dimensions }
    }

    var rank: Int? { dimensions(0)?.count }

    private var outputCount: Int { node.outputs.count { $0 != nil } }

    func integer(_ name: String, _ standard: Int) -> Int {
        if case .integer(let value)? = node.attributes[name] { Int(value) } else { standard }
    }

    /// An attribute's integers, or an input's elements.
    func integers(_ name: String, input: Int) -> [Int]? {
        if case .integers(let values)? = node.attributes[name] { return values.map(Int.init) }
        return node.input(input).flatMap { values[$0]?.knownElements }
    }

    /// An axis of the first input, counted from the front.
    func normalized(_ axis: Int) -> Int? { rank.map { axis < 0 ? axis + $0 : axis } }

    /// The first input's axis, when no other input has one.
    func onlyFirst() -> Int? { axes.dropFirst().allSatisfy { $0 == nil } ? axes[0] : nil }

    /// The first input's axis, when it is not the one that the operator works along.
    func axisOtherThan(_ axis: Int?) -> Int? {
        guard let own = onlyFirst(), let axis, normalized(axis) != own else { return nil }
        return own
    }

    /// The axis in inputs that are broadcast together, the same from the back in all that have one.
    private func broadcastAxis() -> Int? {
        guard let outputRank = node.outputs[0].flatMap({ values[$0]?.rank }) else { return nil }
        var found: Int?
        for (index, axis) in axes.enumerated() {
            guard let axis else { continue }
            guard let rank = dimensions(index)?.count else { return nil }
            let place = axis + outputRank - rank
            guard found == nil || found == place else { return nil }
            found = place
        }
        return found
    }

    private func rowAxis(_ rows: any RowFunction) -> Int? {
        guard let axis = axes[0], let row = normalized(rows.axis) else { return nil }
        return rows.coercesToMatrix ? (axis < row ? axis : nil) : (axis == row ? nil : axis)
    }

    private func productAxis() -> Int? {
        guard let first = dimensions(0), let second = dimensions(1) else { return nil }
        if node.operation is Gemm {
            guard axes[0] == 0, axes[1] == nil, integer("transA", 0) == 0 else { return nil }
            if axes.count > 2, axes[2] != nil { return axes[2] == 0 && dimensions(2)?.count == 2 ? 0 : nil }
            // One row for all items.
            if let addend = dimensions(2), addend.count == 2, addend[0] != .known(1) { return nil }
            return 0
        }
        guard first.count > 1, second.count > 1 else { return nil }
        let rank = max(first.count, second.count)
        let left = axes[0].map { $0 + rank - first.count }
        let right = axes[1].map { $0 + rank - second.count }
        // Rows of the first, or the matrices of a stack; an item is not summed over, and is not a column.
        guard left != rank - 1, right.map({ $0 < rank - 2 }) ?? true else { return nil }
        if let left, let right, left != right { return nil }
        return left ?? right
    }

    /// Sequences and states have the items on axis 1, and all outputs of a sequence on axis 2; in the other layout on axis 0.
    private func recurrentAxes() -> [Int]? {
        let isBatchFirst = integer("layout", 0) == 1
        let own = isBatchFirst ? 0 : 1
        // Lengths and initial states are an item's own; weights are everyone's.
        let perItem = [(0, own), (4, 0), (5, own), (6, own)]
        for index in axes.indices {
            let expected = node.input(index) == nil ? nil : perItem.first { $0.0 == index }?.1
            guard axes[index] == expected else { return nil }
        }
        return node.outputs.indices.map { isBatchFirst ? 0 : $0 == 0 ? 2 : 1 }
    }

    private func normalizationAxis() -> Int? {
        guard let own = onlyFirst(), let rank, let axis = normalized(integer("axis", -1)), own < axis,
            [1, 2].allSatisfy({ (dimensions($0)?.count ?? 0) <= rank - axis })
        else { return nil }
        return own
    }

    private func quantizationAxis() -> Int? {
        guard let own = onlyFirst(), integer("block_size", 0) == 0 else { return nil }
        return dimensions(1)?.isEmpty == true || normalized(integer("axis", 1)) != own ? own : nil
    }
}
