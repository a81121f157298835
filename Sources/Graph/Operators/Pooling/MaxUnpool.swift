import Tensors

/// The inverse of MaxPool as far as there is one: each element goes where MaxPool found it, all others are 0.
///
/// Inputs: X [N, C, D1…], floating; I, int64, shaped as X: positions as MaxPool's Indices; output_shape (int64, optional).
/// Outputs: output, (D − 1)·stride + kernel − pads elements an axis, the shape that positions are counted in. A larger
/// output_shape adds zeros at the ends. Attributes: `kernel_shape` (required), `strides` (1), `pads` (0).
/// Errors: a position outside. Source: ONNX MaxUnpool-9, 11, 22.
package struct MaxUnpool: Operator {
    package static let type = "MaxUnpool"

    package let window: Window

    package init(_ attributes: inout AttributeReader) throws(GraphError) {
        window = try Window(&attributes, hasDilations: false, hasAutoPad: false)
        guard let kernel = window.kernel, !kernel.isEmpty else {
            throw .attribute(Self.type, name: "kernel_shape", reason: "is required")
        }
    }

    package var inputCount: ClosedRange<Int> { 2...3 }

    package func inferOutputs(_ inputs: [ValueInfo?], outputCount: Int) throws(GraphError) -> [ValueInfo] {
        let (x, indices) = (try required(inputs, 0, "X"), try required(inputs, 1, "I"))
        try requireFloating(x, "X")
        try requireType(indices, "I", .int64)
        try requireRank(x, "X", 3...Int.max)
        guard let own = x.dimensions ?? indices.dimensions else { return [ValueInfo(x.elementType, nil)] }
        try requireRank(indices, "I", own.count)
        try window.requireRank(own.count - 2)
        var dimensions: [Dimension] = []
        for (one, other) in zip(own, indices.dimensions ?? own) {
            guard let unified = one.unified(with: other) else { throw error("X is \(x), I is \(indices)") }
            dimensions.append(unified)
        }
        for axis in 2..<dimensions.count {
            guard let extent = dimensions[axis].value else {
                dimensions[axis] = .unknown
                continue
            }
            dimensions[axis] = .known(try unpooled(extent, axis - 2))
        }
        guard let shape = try optional(inputs, 2, "output_shape") else {
            return [try output(x.elementType, dimensions)]
        }
        return [try output(x.elementType, enlarged(dimensions, shape))]
    }

    package func evaluate(_ inputs: [ExactTensor?], outputCount: Int) throws(GraphError) -> [ExactTensor] {
        let target = try outputShape(inputs)
        let x = try tensor(inputs, 0, "X")
        let (values, positions) = (try reals(inputs, 0, "X"), try integers(inputs, 1, "I"))
        var own = Array(x.shape.dimensions[..<2])
        for axis in 2..<x.shape.rank { own.append(try unpooled(x.shape[axis], axis - 2)) }
        let shape = try checkedShape(own)
        var result = [Double](repeating: 0, count: shape.count)
        for (value, position) in zip(values, positions) {
            guard let index = Int(exactly: position), result.indices.contains(index) else {
                throw error("a position is \(position), there are \(shape.count)")
            }
            result[index] = value
        }
        let unpooled = ExactTensor(reals: result, shape: shape, elementType: x.elementType)
        return [
            unpooled.selected(to: target) { axis in (0..<target[axis]).map { $0 < shape[axis] ? $0 : -1 } }
        ]
    }

    private func unpooled(_ extent: Int, _ axis: Int) throws(GraphError) -> Int {
        guard let kernel = window.kernel?[axis] else { throw error("kernel_shape is absent") }
        var pads = 0
        if case .explicit(let begins, let ends) = window.padding { pads = begins[axis] + ends[axis] }
        let (steps, overflow) = (extent - 1).multipliedReportingOverflow(by: window.stride(axis))
        guard !overflow, steps <= Int.max / 4, extent > 0, steps + kernel >= pads else {
            throw error("an extent of \(extent) on spatial axis \(axis) cannot be unpooled")
        }
        return steps + kernel - pads
    }

    private func enlarged(_ dimensions: [Dimension], _ shape: ValueInfo) throws(GraphError) -> [Dimension] {
        try requireType(shape, "output_shape", .int64)
        try requireRank(shape, "output_shape", 1)
        if let count = shape.elements?.count ?? shape.dimensions?[0].value, count != dimensions.count {
            throw error("output_shape has \(count) elements, X has rank \(dimensions.count)")
        }
        guard let elements = shape.elements else {
            return [Dimension](repeating: .unknown, count: dimensions.count)
        }
        for (requested, least) in zip(elements, dimensions) {
            if let requested = requested.value, let least = least.value, requested < least {
                throw error("output_shape has an extent of \(requested), the unpooled one is \(least)")
            }
            if let requested = requested.value, requested < 0 {
                throw error("output_shape has an extent of \(requested)")
            }
        }
        return elements
    }
}
