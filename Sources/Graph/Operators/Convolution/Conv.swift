import Tensors

/// Convolution (strictly cross-correlation) over any number of spatial axes.
///
///     Y[n,o,p…] = B[o] + Σ_{i,k…} X[n, g(o)·I + i, p·stride + k·dilation − pad…] · W[o,i,k…]
///
/// Inputs: X [N, C, D1…], W [outputChannels, C/group, k1…], B [outputChannels] (optional).
/// Outputs: Y [N, outputChannels, …], the spatial extents by `Window`.
/// Attributes: `group` (1) and those of `Window`. Errors: channel counts that disagree, a kernel larger than the
/// padded input. Source: ONNX Conv-1, 11, 22.
package struct Conv: Operator {
    package static let type = "Conv"

    package let group: Int
    package let window: Window

    package init(_ attributes: inout AttributeReader) throws(GraphError) {
        group = try attributes.integer("group", default: 1, in: 1...AttributeReader.maximumExtent)
        window = try Window(&attributes)
    }

    package var inputCount: ClosedRange<Int> { 2...3 }

    package func inferOutputs(_ inputs: [ValueInfo?], outputCount: Int) throws(GraphError) -> [ValueInfo] {
        let x = try required(inputs, 0, "X")
        let weight = try required(inputs, 1, "W")
        let bias = try optional(inputs, 2, "B")
        try requireFloating(x, "X")
        var type = try commonType(x, "X", weight, "W")
        if let bias { type = try commonType(ValueInfo(type, nil), "X", bias, "B") }
        try requireRank(x, "X", 3...Int.max)
        try requireRank(weight, "W", 3...Int.max)
        guard let rank = x.rank ?? weight.rank ?? window.rank.map({ $0 + 2 }) else {
            return [ValueInfo(type, nil)]
        }
        try requireRank(x, "X", rank)
        try requireRank(weight, "W", rank)
        try window.requireRank(rank - 2)
        if let channels = x.dimensions?[1].value, let inner = weight.dimensions?[1].value {
            let (expected, overflow) = inner.multipliedReportingOverflow(by: group)
            guard !overflow, channels == expected else {
                throw error(
                    "X has \(channels) channels, W has \(inner) input channels in each of \(group) groups")
            }
        }
        var outputChannels = weight.dimensions?[0] ?? .unknown
        if let count = outputChannels.value, !count.isMultiple(of: group) {
            throw error("W has \(count) output channels, they cannot be divided into \(group) groups")
        }
        if let bias, let extent = try unifyBias(outputChannels, bias) { outputChannels = extent }
        var dimensions = [x.dimensions?[0] ?? .unknown, outputChannels]
        for axis in 0..<rank - 2 {
            let kernel = try kernelExtent(axis, weight)
            let input = x.dimensions?[axis + 2] ?? .unknown
            dimensions.append(try window.outputDimension(axis, input: input, kernel: kernel))
        }
        return [try output(type, dimensions)]
    }

    package func evaluate(_ inputs: [ExactTensor?], outputCount: Int) throws(GraphError) -> [ExactTensor] {
        let target = try outputShape(inputs)
        let (x, weight) = (try tensor(inputs, 0, "X"), try tensor(inputs, 1, "W"))
        let (xs, weights) = (try reals(inputs, 0, "X"), try reals(inputs, 1, "W"))
        let bias = try optionalReals(inputs, 2, "B")
        var axes: [Window.Axis] = []
        for axis in 0..<target.rank - 2 {
            axes.append(
                try window.axis(axis, input: x.shape[axis + 2], kernel: weight.shape[axis + 2]))
        }
        var result = [Double](repeating: 0, count: target.count)
        // Without input channels every sum is empty, and nothing bounds the kernel's extents.
        if target.count > 0, x.shape[1] > 0 {
            Patches(axes: axes, batch: target[0], group: group, inputChannels: x.shape[1] / group)
                .convolve(xs, weights, outputChannels: target[1] / group, into: &result)
        }
        if let bias {
            let positions = target.dimensions.dropFirst(2).reduce(1, *)
            for index in result.indices { result[index] += bias[index / positions % bias.count] }
        }
        return [ExactTensor(reals: result, shape: target, elementType: x.elementType)]
    }

    private func unifyBias(_ channels: Dimension, _ bias: ValueInfo) throws(GraphError) -> Dimension? {
        try requireRank(bias, "B", 1)
        guard let extent = bias.dimensions?[0] else { return nil }
        guard let unified = channels.unified(with: extent) else {
            throw error("W has \(channels) output channels, B has \(extent)")
        }
        return unified
    }

    private func kernelExtent(_ axis: Int, _ weight: ValueInfo) throws(GraphError) -> Int? {
        let stated = window.kernel?[axis]
        guard let actual = weight.dimensions?[axis + 2].value else { return stated }
        if let stated, stated != actual {
            throw error(
                "W has a kernel extent of \(actual) on spatial axis \(axis), kernel_shape says \(stated)")
        }
        return actual
    }
}

/// The columns of a convolution's matrix product: the inputs under the kernel at each output position ("im2col"), a
/// panel at a time.
private struct Patches {
    let axes: [Window.Axis]
    let batch: Int
    let group: Int
    /// In each group.
    let inputChannels: Int

    /// `xs` [batch, group·inputChannels, …], `weights` [group·outputChannels, inputChannels, …]; none is empty.
    func convolve(_ xs: [Double], _ weights: [Double], outputChannels: Int, into result: inout [Double]) {
        let taps = axes.reduce(1) { $0 * $1.kernel }
        let positions = axes.reduce(1) { $0 * $1.output }
        let channelStride = axes.reduce(1) { $0 * $1.input }
        let product = MatrixProduct(rows: outputChannels, inner: inputChannels * taps, columns: positions)
        let width = product.panelWidth
        var panel = [Double](repeating: 0, count: product.inner * width)
        for first in stride(from: 0, to: positions, by: width) {
            let count = min(width, positions - first)
            let offsets = axes.tapOffsets(positions: first..<first + count)
            for image in 0..<batch {
                for index in 0..<group {
                    let channel = (image * group + index) * inputChannels
                    fill(&panel, width, count, offsets, taps, xs, channel * channelStride, channelStride)
                    product.multiply(
                        group: index, of: weights, panel: panel, width: width, count: count, into: &result,
                        at: image * group + index, firstColumn: first)
                }
            }
        }
    }

    private func fill(
        _ panel: inout [Double], _ width: Int, _ count: Int, _ offsets: [Int], _ taps: Int, _ xs: [Double],
        _ base: Int, _ channelStride: Int
    ) {
        panel.withUnsafeMutableBufferPointer { panel in
            xs.withUnsafeBufferPointer { xs in
                offsets.withUnsafeBufferPointer { offsets in
                    for channel in 0..<inputChannels {
                        let source = base + channel * channelStride
                        for tap in 0..<taps {
                            let target = (channel * taps + tap) * width
                            for column in 0..<count {
                                let offset = offsets[tap * count + column]
                                panel[target + column] = offset < 0 ? 0 : xs[source + offset]
                            }
                        }
                    }
                }
            }
        }
    }
}
