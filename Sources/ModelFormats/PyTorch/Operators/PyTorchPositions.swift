import Graph
import Tensors

/// Positions along some axes of a tensor, `x[:, rows, columns]`: they are broadcast to one shape, which takes the place of
/// those axes where they are side by side, and the front where they are not.
struct PyTorchPositions {
    /// The axes that have positions, then those that are taken whole.
    private let order: [Int]
    private let axisCount: Int
    /// What the positions are broadcast to.
    private let shape: [Int]
    /// How many of the axes that are taken whole stand before that shape.
    private let leading: Int
    /// [shape…, axisCount].
    private let points: String

    init(_ call: PyTorchCall) throws(GraphError) {
        let (indices, rank) = (try call.tensorNames("indices"), try call.meta().rank)
        let axes = indices.indices.filter { indices[$0] != nil }
        guard let first = axes.first, let last = axes.last, last < rank else {
            throw call.refusal("takes positions along at least one of \(rank) axes")
        }
        let names = indices.compactMap { $0 }
        let metas = try names.map { (name) throws(GraphError) in try call.builder.meta(name) }
        guard metas.allSatisfy({ $0.elementType.isInteger }) else {
            throw call.refusal("a mask of booleans is not supported")
        }
        shape = try Self.broadcast(metas.map(\.dimensions), call)
        order = axes + (0..<rank).filter { !axes.contains($0) }
        axisCount = axes.count
        leading = last - first == axes.count - 1 ? first : 0
        var parts: [String] = []
        for (name, meta) in zip(names, metas) {
            var value = try call.builder.value(name)
            if meta.elementType != .int64 { value = try call.cast(value, to: .int64) }
            if meta.dimensions != shape.map(PyTorchDimension.known) {
                value = try call.emit("Expand", [value, call.vector(shape)])
            }
            parts.append(try call.emit("Unsqueeze", [value, call.vector([shape.count])]))
        }
        points = try call.emit("Concat", parts, ["axis": .integer(Int64(shape.count))])
    }

    /// The elements at the positions.
    func take(from call: PyTorchCall) throws(GraphError) -> [String] {
        let source = try moved(call.value(), order, call)
        guard leading > 0 else { return try call.result("GatherND", [source, points]) }
        let taken = try call.emit("GatherND", [source, points])
        return try call.result("Transpose", [taken], ["perm": .integers(placed.map(Int64.init))])
    }

    /// The tensor with other elements at the positions, or with these added to what is there.
    func put(into call: PyTorchCall) throws(GraphError) -> [String] {
        let source = try moved(call.value(), order, call)
        var values = try PyTorchArithmetic.operand("values", as: call.meta().elementType, call)
        if try call.meta("values").rank == placed.count {
            values = try moved(values, inverse(placed), call)
        } else if leading > 0 {
            throw call.refusal("takes values for each position")
        }
        let extents = try call.emit("Shape", [call.emit("GatherND", [source, points])])
        values = try call.emit("Expand", [values, extents])
        let adds = try call.flag("accumulate")
        let written = try call.emit(
            "ScatterND", [source, points, values], ["reduction": .string(adds ? "add" : "none")])
        return [try moved(written, inverse(order), call)]
    }

    /// Where each axis of what is taken comes from: the positions' axes are the first of what GatherND gives.
    private var placed: [Int] {
        let whole = Array(shape.count..<shape.count + order.count - axisCount)
        return whole.prefix(leading) + Array(0..<shape.count) + whole.dropFirst(leading)
    }

    private func inverse(_ order: [Int]) -> [Int] {
        var result = order
        for (place, axis) in order.enumerated() { result[axis] = place }
        return result
    }

    private func moved(_ value: String, _ order: [Int], _ call: PyTorchCall) throws(GraphError) -> String {
        guard order != Array(0..<order.count) else { return value }
        return try call.emit("Transpose", [value], ["perm": .integers(order.map(Int64.init))])
    }

    private static func broadcast(
        _ shapes: [[PyTorchDimension]], _ call: PyTorchCall
    ) throws(GraphError) -> [Int] {
        var result = [Int](repeating: 1, count: shapes.map(\.count).max() ?? 0)
        for shape in shapes {
            for (index, dimension) in shape.enumerated() {
                guard let extent = dimension.value else {
                    throw call.refusal("the extents of positions along several axes must be known")
                }
                let place = result.count - shape.count + index
                if result[place] == 1 { result[place] = extent }
                guard extent == 1 || extent == result[place] else {
                    throw call.refusal("positions of the shapes \(shapes) have no common one")
                }
            }
        }
        return result
    }
}
