import Tensors

/// The different elements of the input, or the different entries of one of its axes.
///
/// Inputs: X, any type. Outputs: Y [count], or X's shape with count entries on the axis; indices, int64 [count]: where
/// each is first; inverse_indices, int64: for each element or entry of X its place in Y; counts, int64 [count].
/// Attributes: `axis`; `sorted` (1: ascending, entries by their elements in turn; 0: as they come in X). NaN is equal to
/// NaN and greater than every number, as in NumPy. Source: ONNX Unique-11.
package struct Unique: Operator {
    package static let type = "Unique"

    private let axis: Int?
    private let isSorted: Bool

    package init(_ attributes: inout AttributeReader) throws(GraphError) {
        axis = try attributes.integer("axis")
        isSorted = try attributes.flag("sorted", default: true)
    }

    package var inputCount: ClosedRange<Int> { 1...1 }
    package var outputCount: ClosedRange<Int> { 1...4 }

    package func inferOutputs(_ inputs: [ValueInfo?], outputCount: Int) throws(GraphError) -> [ValueInfo] {
        let x = try required(inputs, 0, "X")
        var dimensions: [Dimension]? = [.unknown]
        var entries = x.dimensions.map { Dimension.product($0) } ?? .unknown
        if let axis {
            dimensions = x.dimensions
            if let rank = x.rank {
                let position = try normalized(axis, rank: rank)
                entries = x.dimensions?[position] ?? .unknown
                dimensions?[position] = .unknown
            } else {
                entries = .unknown
            }
        }
        let results = [
            try output(x.elementType, dimensions), ValueInfo(.int64, [.unknown]),
            ValueInfo(.int64, [entries]), ValueInfo(.int64, [.unknown]),
        ]
        return Array(results.prefix(max(1, outputCount)))
    }

    package func evaluate(_ inputs: [ExactTensor?], outputCount: Int) throws(GraphError) -> [ExactTensor] {
        try requireFit(inputs, outputCount: outputCount)
        let x = try tensor(inputs, 0, "X")
        let whole = axis == nil ? x.reshaped(to: try checkedShape([x.shape.count])) : x
        let axis = try normalized(axis ?? 0, rank: whole.shape.rank)
        _ = try boundedShape([whole.shape[axis]])
        let groups = Groups(whole, axis: axis, isSorted: isSorted)
        var dimensions = whole.shape.dimensions
        dimensions[axis] = groups.first.count
        let target = try boundedShape(dimensions)
        let y = whole.selected(to: target) { $0 == axis ? groups.first : Array(0..<target[$0]) }
        var results = [y]
        for values in [groups.first, groups.inverse, groups.counts] {
            let shape = try checkedShape([values.count])
            results.append(
                ExactTensor(integers: values.map { Int64($0) }, shape: shape, elementType: .int64))
        }
        return Array(results.prefix(max(1, outputCount)))
    }
}

/// The entries of an axis, equal ones together.
private struct Groups {
    /// The first entry of each group.
    private(set) var first: [Int] = []
    /// For each entry its group.
    private(set) var inverse: [Int]
    /// How many entries each group has.
    private(set) var counts: [Int] = []

    init(_ tensor: ExactTensor, axis: Int, isSorted: Bool) {
        let extent = tensor.shape[axis]
        let rows = AxisRows(tensor.shape, axis: axis)
        let comparison = ElementOrder(tensor)
        func compare(_ one: Int, _ other: Int) -> Int {
            for row in 0..<rows.count {
                let base = rows.offset(row)
                let compared = comparison.compare(base + one * rows.step, base + other * rows.step)
                if compared != 0 { return compared }
            }
            return 0
        }
        inverse = [Int](repeating: 0, count: extent)
        let order = (0..<extent).sorted { one, other in
            let compared = compare(one, other)
            return compared == 0 ? one < other : compared < 0
        }
        var previous: Int?
        for entry in order {
            if let previous, compare(previous, entry) == 0 {
                counts[counts.count - 1] += 1
            } else {
                first.append(entry)
                counts.append(1)
            }
            inverse[entry] = first.count - 1
            previous = entry
        }
        guard !isSorted else { return }
        // Groups by their first entries, and each group's place among them.
        let ranking = first.indices.sorted { first[$0] < first[$1] }
        var places = [Int](repeating: 0, count: first.count)
        for (place, group) in ranking.enumerated() { places[group] = place }
        (first, counts) = (ranking.map { first[$0] }, ranking.map { counts[$0] })
        inverse = inverse.map { places[$0] }
    }
}
