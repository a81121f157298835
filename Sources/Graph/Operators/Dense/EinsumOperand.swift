import Tensors

/// A tensor whose axes have labels, each another one.
struct EinsumOperand {
    let labels: [EinsumEquation.Label]
    let tensor: ExactTensor

    private init(_ tensor: ExactTensor, _ labels: [EinsumEquation.Label]) {
        (self.tensor, self.labels) = (tensor, labels)
    }

    /// Axes of one label become one: its diagonal.
    init(
        diagonalOf tensor: ExactTensor, _ labels: [EinsumEquation.Label], of operation: some Operator
    ) throws(GraphError) {
        var distinct: [EinsumEquation.Label] = []
        var (extents, strides): ([Int], [Int]) = ([], [])
        for (axis, label) in labels.enumerated() {
            if let known = distinct.firstIndex(of: label) {
                strides[known] += tensor.shape.strides[axis]
            } else {
                distinct.append(label)
                extents.append(tensor.shape[axis])
                strides.append(tensor.shape.strides[axis])
            }
        }
        let isWhole = distinct.count == labels.count
        self.init(
            isWhole ? tensor : tensor.strided(to: try operation.boundedShape(extents), strides: strides),
            distinct)
    }

    /// The tensor with these labels for axes, which must be all of its own, broadcast to `shape`.
    func arranged(
        _ order: [EinsumEquation.Label], _ shape: Shape, of operation: some Operator
    ) throws(GraphError) -> ExactTensor {
        let own = tensor.shape.strides
        var strides: [Int] = []
        for (axis, label) in order.enumerated() {
            let place = labels.firstIndex(of: label)
            let isRepeated = place.map { tensor.shape[$0] != shape[axis] } ?? true
            strides.append(isRepeated ? 0 : own[place ?? 0])
        }
        return tensor.strided(to: shape, strides: strides)
    }

    /// The sums over the labels that are not kept.
    func summed(
        keeping kept: Set<EinsumEquation.Label>, of operation: some Operator
    ) throws(GraphError) -> EinsumOperand {
        let stay = labels.filter { kept.contains($0) }
        let go = labels.filter { !kept.contains($0) }
        guard !go.isEmpty else { return self }
        let shape = try operation.boundedShape(stay.map(extent))
        let whole = try arranged(
            stay + go, operation.boundedShape((stay + go).map(extent)), of: operation)
        let count = go.map(extent).reduce(1, *)
        func sums<Value>(_ values: [Value], from zero: Value, add: (Value, Value) -> Value) -> [Value] {
            (0..<shape.count).map { values[$0 * count..<($0 + 1) * count].reduce(zero, add) }
        }
        let type = tensor.elementType
        switch whole.elements {
        case .reals(let values):
            let result = sums(values, from: 0) { $0 + $1 }
            return EinsumOperand(ExactTensor(reals: result, shape: shape, elementType: type), stay)
        case .integers(let values):
            let result = sums(values, from: 0) { $0 &+ $1 }
            return EinsumOperand(ExactTensor(integers: result, shape: shape, elementType: type), stay)
        }
    }

    /// The products of two operands, summed over the labels that are not kept: a matrix product for each entry of the
    /// labels that both have and that are kept.
    func product(
        _ other: EinsumOperand, keeping kept: Set<EinsumEquation.Label>, of operation: some Operator
    ) throws(GraphError) -> EinsumOperand {
        let left = try summed(keeping: kept.union(other.labels), of: operation)
        let right = try other.summed(keeping: kept.union(labels), of: operation)
        let shared = left.labels.filter { right.labels.contains($0) }
        let (batch, inner) = (shared.filter { kept.contains($0) }, shared.filter { !kept.contains($0) })
        let rows = left.labels.filter { !shared.contains($0) }
        let columns = right.labels.filter { !shared.contains($0) }
        // An extent of 1 goes with any other.
        func extents(_ labels: [EinsumEquation.Label]) -> [Int] {
            labels.map { label in
                let (one, two) = (left.extent(of: label), right.extent(of: label))
                return one == 1 ? two ?? 1 : one ?? two ?? 1
            }
        }
        func count(_ labels: [EinsumEquation.Label]) -> Int { extents(labels).reduce(1, *) }
        func matrices(
            _ operand: EinsumOperand, _ first: [EinsumEquation.Label], _ second: [EinsumEquation.Label]
        ) throws(GraphError) -> ExactTensor {
            let whole = try operation.boundedShape(extents(batch + first + second))
            let flat = try operation.checkedShape([count(batch), count(first), count(second)])
            return try operand.arranged(batch + first + second, whole, of: operation).reshaped(to: flat)
        }
        let shape = try operation.boundedShape(extents(batch + rows + columns))
        do {
            let operands = [try matrices(left, rows, inner), try matrices(right, inner, columns)]
            let product = try MatMul().evaluate(operands, outputCount: 1)[0]
            return EinsumOperand(product.reshaped(to: shape), batch + rows + columns)
        } catch {
            throw error.renamed(operation)
        }
    }

    private func extent(_ label: EinsumEquation.Label) -> Int { extent(of: label) ?? 1 }

    private func extent(of label: EinsumEquation.Label) -> Int? {
        labels.firstIndex(of: label).map { tensor.shape[$0] }
    }
}
