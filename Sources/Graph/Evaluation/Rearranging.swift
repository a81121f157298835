import Tensors

/// Moving elements without computing on them. The callers have checked shapes and indices.
extension ExactTensor {
    /// The same elements in another shape of as many.
    func reshaped(to shape: Shape) -> ExactTensor {
        switch elements {
        case .reals(let values): ExactTensor(reals: values, shape: shape, elementType: elementType)
        case .integers(let values): ExactTensor(integers: values, shape: shape, elementType: elementType)
        }
    }

    /// The tensor whose element at (i, j, …) is this one's at `offset` + i·strides[0] + j·strides[1] + …
    func strided(to shape: Shape, strides: [Int], offset: Int = 0) -> ExactTensor {
        switch elements {
        case .reals(let values):
            ExactTensor(
                reals: Self.gather(values, shape, strides, offset), shape: shape, elementType: elementType)
        case .integers(let values):
            ExactTensor(
                integers: Self.gather(values, shape, strides, offset), shape: shape, elementType: elementType)
        }
    }

    /// This tensor repeated along its axes of extent 1 and in front.
    func broadcast(to target: Shape) -> ExactTensor {
        if target == shape { return self }
        var strides = [Int](repeating: 0, count: target.rank)
        let own = shape.strides
        for axis in 0..<shape.rank where shape[axis] != 1 {
            strides[axis + target.rank - shape.rank] = own[axis]
        }
        return strided(to: target, strides: strides)
    }

    /// The axes in another order: axis `permutation[i]` becomes axis i.
    func transposed(_ permutation: [Int], to target: Shape) -> ExactTensor {
        let own = shape.strides
        return strided(to: target, strides: permutation.map { own[$0] })
    }

    /// The tensor whose element at (i, j, …) is this one's at (table(0)[i], table(1)[j], …), or `fill` where a table has
    /// a negative entry.
    ///
    /// The tables are asked for only when there are elements, so that their sizes are bounded by the output's.
    func selected(
        to target: Shape, fill: ExactTensor? = nil, table: (_ axis: Int) -> [Int]
    ) -> ExactTensor {
        let strides = shape.strides
        let offsets: [[Int]] =
            target.count == 0
            ? []
            : (0..<target.rank).map { axis in table(axis).map { $0 < 0 ? -1 : $0 * strides[axis] } }
        switch elements {
        case .reals(let values):
            let result = Self.select(values, target, offsets, fill: fill?.reals?.first ?? 0)
            return ExactTensor(reals: result, shape: target, elementType: elementType)
        case .integers(let values):
            let result = Self.select(values, target, offsets, fill: fill?.integers?.first ?? 0)
            return ExactTensor(integers: result, shape: target, elementType: elementType)
        }
    }

    /// The tensor whose elements are this one's at `offsets`.
    func taken(at offsets: [Int], to shape: Shape) -> ExactTensor {
        switch elements {
        case .reals(let values):
            ExactTensor(reals: offsets.map { values[$0] }, shape: shape, elementType: elementType)
        case .integers(let values):
            ExactTensor(integers: offsets.map { values[$0] }, shape: shape, elementType: elementType)
        }
    }

    private static func gather<Value>(
        _ values: [Value], _ shape: Shape, _ strides: [Int], _ offset: Int
    ) -> [Value] {
        guard shape.count > 0 else { return [] }
        guard let rowCount = shape.dimensions.last, let step = strides.last else { return [values[offset]] }
        var result: [Value] = []
        result.reserveCapacity(shape.count)
        var odometer = Odometer(Array(shape.dimensions.dropLast()))
        repeat {
            var source = offset
            for (index, stride) in zip(odometer.indices, strides) { source += index * stride }
            for index in 0..<rowCount { result.append(values[source + index * step]) }
        } while odometer.advance()
        return result
    }

    private static func select<Value>(
        _ values: [Value], _ shape: Shape, _ offsets: [[Int]], fill: Value
    ) -> [Value] {
        guard shape.count > 0 else { return [] }
        guard let row = offsets.last else { return values }
        var result: [Value] = []
        result.reserveCapacity(shape.count)
        var odometer = Odometer(Array(shape.dimensions.dropLast()))
        repeat {
            var source = 0
            var isInside = true
            for (index, table) in zip(odometer.indices, offsets) {
                source += table[index]
                isInside = isInside && table[index] >= 0
            }
            for offset in row { result.append(isInside && offset >= 0 ? values[source + offset] : fill) }
        } while odometer.advance()
        return result
    }
}

/// Counts through the indices of a box, the last axis fastest. The box must not be empty.
struct Odometer {
    private(set) var indices: [Int]
    private let extents: [Int]

    init(_ extents: [Int]) {
        self.extents = extents
        indices = [Int](repeating: 0, count: extents.count)
    }

    /// Goes to the next index; `false` after the last.
    mutating func advance() -> Bool {
        for axis in extents.indices.reversed() {
            indices[axis] += 1
            if indices[axis] < extents[axis] { return true }
            indices[axis] = 0
        }
        return false
    }
}
