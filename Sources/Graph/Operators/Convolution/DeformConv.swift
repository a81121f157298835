import Tensors

/// Convolution whose kernel's taps are moved by offsets and weighted by a mask, position by position.
///
///     Y[n,o,p] = B[o] + Σ_{i,k} X[n, g(o)·I + i, p·stride + k·dilation − pad + offset(k, p)] · mask(k, p) · W[o,i,k]
///
/// Inputs: X [N, C, D1…Dr], W [outputChannels, C/group, k1…kr], offset [N, offset_group·∏k·r, O1…Or] (all axes of a tap
/// together), B [outputChannels] and mask [N, offset_group·∏k, O1…Or] (both optional). Outputs: Y [N, outputChannels, O…].
/// X is interpolated linearly between its elements, and 0 outside.
/// Attributes: `group` (1), `offset_group` (1), those of `Window` but `auto_pad`.
/// Source: Dai et al. 2017, Zhu et al. 2018; ONNX DeformConv-19, 22.
package struct DeformConv: Operator {
    package static let type = "DeformConv"

    package let group: Int
    package let offsetGroup: Int
    package let window: Window

    /// Each axis doubles the elements behind a position.
    private static let maximumSpatialRank = 8

    package init(_ attributes: inout AttributeReader) throws(GraphError) {
        group = try attributes.integer("group", default: 1, in: 1...AttributeReader.maximumExtent)
        offsetGroup = try attributes.integer(
            "offset_group", default: 1, in: 1...AttributeReader.maximumExtent)
        window = try Window(&attributes, hasAutoPad: false)
    }

    package var inputCount: ClosedRange<Int> { 3...5 }

    package func inferOutputs(_ inputs: [ValueInfo?], outputCount: Int) throws(GraphError) -> [ValueInfo] {
        let (x, weight) = (try required(inputs, 0, "X"), try required(inputs, 1, "W"))
        try requireFloating(x, "X")
        let others = [(1, "W"), (2, "offset"), (3, "B"), (4, "mask")]
        var type = x.elementType
        for (index, name) in others {
            guard let info = try optional(inputs, index, name) else { continue }
            type = try commonType(ValueInfo(type, nil), "X", info, name)
        }
        let offset = try required(inputs, 2, "offset")
        let mask = try optional(inputs, 4, "mask")
        guard let rank = x.rank ?? weight.rank ?? offset.rank else { return [ValueInfo(type, nil)] }
        let named: [(ValueInfo?, String)] = [(x, "X"), (weight, "W"), (offset, "offset"), (mask, "mask")]
        for (info, name) in named {
            guard let info else { continue }
            try requireRank(info, name, 3...Self.maximumSpatialRank + 2)
            try requireRank(info, name, rank)
        }
        try window.requireRank(rank - 2)
        let outputChannels = try unifyChannels(
            weight.dimensions?[0] ?? .unknown, optional(inputs, 3, "B"), "B")
        try requireGroups(x.dimensions?[1].value, weight.dimensions?[1].value, outputChannels.value)
        var dimensions = [x.dimensions?[0] ?? .unknown, outputChannels]
        var taps: [Dimension] = []
        for axis in 0..<rank - 2 {
            let kernel = try kernelExtent(axis, weight)
            taps.append(kernel.map(Dimension.known) ?? .unknown)
            dimensions.append(
                try window.outputDimension(axis, input: x.dimensions?[axis + 2] ?? .unknown, kernel: kernel))
        }
        let maskChannels = taps + [.known(offsetGroup)]
        try unify(&dimensions, offset, "offset", channels: .product(maskChannels + [.known(rank - 2)]))
        if let mask { try unify(&dimensions, mask, "mask", channels: .product(maskChannels)) }
        return [try output(type, dimensions)]
    }

    package func evaluate(_ inputs: [ExactTensor?], outputCount: Int) throws(GraphError) -> [ExactTensor] {
        let target = try outputShape(inputs)
        let (x, weight) = (try tensor(inputs, 0, "X"), try tensor(inputs, 1, "W"))
        var axes: [Window.Axis] = []
        for axis in 0..<target.rank - 2 {
            axes.append(try window.axis(axis, input: x.shape[axis + 2], kernel: weight.shape[axis + 2]))
        }
        var result = [Double](repeating: 0, count: target.count)
        // Without input channels every sum is empty, and nothing bounds the kernel's extents.
        if target.count > 0, x.shape[1] > 0 {
            let patches = DeformedPatches(
                axes: axes, xs: try reals(inputs, 0, "X"), offsets: try reals(inputs, 2, "offset"),
                mask: try optionalReals(inputs, 4, "mask"), channels: x.shape[1], offsetGroup: offsetGroup)
            patches.convolve(
                try reals(inputs, 1, "W"), images: target[0], group: group,
                outputChannels: target[1] / group, into: &result)
        }
        if let bias = try optionalReals(inputs, 3, "B") {
            let positions = target.dimensions.dropFirst(2).reduce(1, *)
            for index in result.indices { result[index] += bias[index / positions % bias.count] }
        }
        return [ExactTensor(reals: result, shape: target, elementType: x.elementType)]
    }

    private func requireGroups(_ channels: Int?, _ inner: Int?, _ outputs: Int?) throws(GraphError) {
        if let channels, let inner {
            let (expected, overflow) = inner.multipliedReportingOverflow(by: group)
            guard !overflow, channels == expected else {
                throw error("X has \(channels) channels, W has \(inner) in each of \(group) groups")
            }
        }
        if let channels, !channels.isMultiple(of: offsetGroup) {
            throw error(
                "X has \(channels) channels, they cannot be divided into \(offsetGroup) offset groups")
        }
        if let outputs, !outputs.isMultiple(of: group) {
            throw error("W has \(outputs) output channels, they cannot be divided into \(group) groups")
        }
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

    /// Checks an input of one vector a position against the output, which may learn from it.
    private func unify(
        _ dimensions: inout [Dimension], _ info: ValueInfo, _ name: String, channels: Dimension
    ) throws(GraphError) {
        guard let own = info.dimensions else { return }
        guard channels.unified(with: own[1]) != nil else {
            throw error("\(name) has \(own[1]) channels, expected \(channels)")
        }
        for axis in dimensions.indices where axis != 1 {
            guard let unified = dimensions[axis].unified(with: own[axis]) else {
                throw error(
                    "\(name) has an extent of \(own[axis]) on axis \(axis), the output \(dimensions[axis])")
            }
            dimensions[axis] = unified
        }
    }
}

/// The columns of a deformed convolution's matrix product, a panel at a time.
private struct DeformedPatches {
    let axes: [Window.Axis]
    let xs: [Double]
    let offsets: [Double]
    let mask: [Double]?
    let channels: Int
    let offsetGroup: Int

    private var taps: Int { axes.reduce(1) { $0 * $1.kernel } }
    private var positions: Int { axes.reduce(1) { $0 * $1.output } }

    /// `outputChannels`: in each group.
    func convolve(
        _ weights: [Double], images: Int, group: Int, outputChannels: Int, into result: inout [Double]
    ) {
        let inner = channels / group
        let product = MatrixProduct(rows: outputChannels, inner: inner * taps, columns: positions)
        let width = product.panelWidth
        var panel = [Double](repeating: 0, count: product.inner * width)
        for image in 0..<images {
            for index in 0..<group {
                for first in stride(from: 0, to: positions, by: width) {
                    let count = min(width, positions - first)
                    for column in 0..<count {
                        fill(
                            &panel, column, width, image, index * inner..<(index + 1) * inner, first + column)
                    }
                    product.multiply(
                        group: index, of: weights, panel: panel, width: width, count: count, into: &result,
                        at: image * group + index, firstColumn: first)
                }
            }
        }
    }

    /// One column of the panel: each channel's element under each tap at one position.
    private func fill(
        _ panel: inout [Double], _ column: Int, _ width: Int, _ image: Int, _ channels: Range<Int>,
        _ position: Int
    ) {
        let channelStride = axes.reduce(1) { $0 * $1.input }
        let inGroup = self.channels / offsetGroup
        var samples: [Sample] = []
        var sampledGroup = -1
        for channel in channels {
            if channel / inGroup != sampledGroup {
                sampledGroup = channel / inGroup
                samples = self.samples(image * offsetGroup + sampledGroup, position)
            }
            let base = (image * self.channels + channel) * channelStride
            for (tap, sample) in samples.enumerated() {
                let row = (channel - channels.lowerBound) * taps + tap
                panel[row * width + column] = sample.reduce(0) { $0 + xs[base + $1.offset] * $1.weight }
            }
        }
    }

    private typealias Sample = [(offset: Int, weight: Double)]

    /// For each tap the elements of a channel that it is made of; `block` counts offset groups through all images.
    private func samples(_ block: Int, _ position: Int) -> [Sample] {
        var result: [Sample] = []
        result.reserveCapacity(taps)
        var tap = Odometer(axes.map(\.kernel))
        var place = [Int](repeating: 0, count: axes.count)
        var rest = position
        for index in axes.indices.reversed() {
            place[index] = rest % axes[index].output
            rest /= axes[index].output
        }
        repeat {
            let index = block * taps + result.count
            var sample: Sample = [(0, mask?[index * positions + position] ?? 1)]
            for (number, axis) in axes.enumerated() {
                let moved = offsets[(index * axes.count + number) * positions + position]
                let coordinate =
                    Double(place[number] * axis.stride + tap.indices[number] * axis.dilation - axis.padBegin)
                    + moved
                sample = Self.extended(sample, by: coordinate, extent: axis.input)
            }
            result.append(sample)
        } while tap.advance()
        return result
    }

    /// The elements of one axis more: the two next to the coordinate, as far as they are inside.
    private static func extended(_ sample: Sample, by coordinate: Double, extent: Int) -> Sample {
        guard coordinate > -1, coordinate < Double(extent) else { return [] }
        let base = Int(coordinate.rounded(.down))
        let fraction = coordinate - Double(base)
        return sample.flatMap { element in
            [(base, 1 - fraction), (base + 1, fraction)]
                .filter { (0..<extent).contains($0.0) }
                .map { (element.offset * extent + $0.0, element.weight * $0.1) }
        }
    }
}
