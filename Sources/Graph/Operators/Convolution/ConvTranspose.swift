import Tensors

/// Transposed convolution: each input element adds its kernel to the output.
///
///     Y[n,o, p·stride + k·dilation − pad…] += X[n,i,p…] · W[i,o,k…]        o and i of one group, then + B[o]
///
/// Inputs: X [N, C, D1…], W [C, outputChannels/group, k1…], B [outputChannels] (optional).
/// Outputs: Y [N, outputChannels, …] with (D − 1)·stride + (k − 1)·dilation + 1 + output_padding − pads elements an axis.
/// Attributes: `group` (1), those of `Window`, `output_padding` (0) and `output_shape`, which determines the pads, as does
/// `auto_pad` `SAME_…` (D·stride elements): the odd one at the end for `SAME_UPPER`, else at the beginning.
/// Source: ONNX ConvTranspose-1, 11, 22.
package struct ConvTranspose: Operator {
    package static let type = "ConvTranspose"

    package let group: Int
    package let window: Window
    package let outputPadding: [Int]?
    /// Of the spatial axes alone.
    package let spatialOutputShape: [Int]?

    package init(_ attributes: inout AttributeReader) throws(GraphError) {
        group = try attributes.integer("group", default: 1, in: 1...AttributeReader.maximumExtent)
        window = try Window(&attributes)
        let extents = 0...AttributeReader.maximumExtent
        outputPadding = try attributes.integers("output_padding", in: extents)
        spatialOutputShape = try attributes.integers("output_shape", in: extents)
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
        guard let rank = x.rank ?? weight.rank else { return [ValueInfo(type, nil)] }
        try requireRank(x, "X", rank)
        try requireRank(weight, "W", rank)
        try requireAttributes(spatialRank: rank - 2)
        let channels = (x.dimensions?[1] ?? .unknown)
        guard let inputChannels = channels.unified(with: weight.dimensions?[0] ?? .unknown) else {
            throw error("X has \(channels) channels, W is for \(weight.dimensions?[0] ?? .unknown)")
        }
        if let count = inputChannels.value, !count.isMultiple(of: group) {
            throw error("X has \(count) channels, they cannot be divided into \(group) groups")
        }
        var outputChannels = Dimension.product([weight.dimensions?[1] ?? .unknown, .known(group)])
        if let bias {
            try requireRank(bias, "B", 1)
            guard let unified = outputChannels.unified(with: bias.dimensions?[0] ?? .unknown) else {
                throw error("the output has \(outputChannels) channels, B has \(bias)")
            }
            outputChannels = unified
        }
        var dimensions = [x.dimensions?[0] ?? .unknown, outputChannels]
        for index in 0..<rank - 2 {
            let kernel = try kernelExtent(index, weight)
            guard let kernel, let input = x.dimensions?[index + 2].value else {
                dimensions.append(spatialOutputShape.map { .known($0[index]) } ?? .unknown)
                continue
            }
            dimensions.append(.known(try axis(index, input: input, kernel: kernel).output))
        }
        return [try output(type, dimensions)]
    }

    package func evaluate(_ inputs: [ExactTensor?], outputCount: Int) throws(GraphError) -> [ExactTensor] {
        let target = try outputShape(inputs)
        let (x, weight) = (try tensor(inputs, 0, "X"), try tensor(inputs, 1, "W"))
        let (xs, weights) = (try reals(inputs, 0, "X"), try reals(inputs, 1, "W"))
        let bias = try optionalReals(inputs, 2, "B")
        var axes: [Window.Axis] = []
        for index in 0..<target.rank - 2 {
            axes.append(try axis(index, input: x.shape[index + 2], kernel: weight.shape[index + 2]))
        }
        var result = [Double](repeating: 0, count: target.count)
        // Without input elements or weights nothing is added, and nothing bounds the other extents.
        if target.count > 0, x.shape.count > 0, weight.shape.count > 0 {
            let channels = (input: x.shape[1] / group, output: target[1] / group)
            scatter(xs, weights, axes, images: target[0], channels: channels, into: &result)
        }
        if let bias {
            let positions = target.dimensions.dropFirst(2).reduce(1, *)
            for index in result.indices { result[index] += bias[index / positions % bias.count] }
        }
        return [ExactTensor(reals: result, shape: target, elementType: x.elementType)]
    }

    /// The axis with every number resolved; its pads may come from the output's extent.
    package func axis(_ index: Int, input: Int, kernel: Int) throws(GraphError) -> Window.Axis {
        let (stride, dilation) = (window.stride(index), window.dilation(index))
        let extent = try window.extent(kernel: kernel, dilation: dilation)
        let (steps, overflow) = (input - 1).multipliedReportingOverflow(by: stride)
        guard !overflow, steps <= Int.max / 4 else { throw error("an extent of \(input) is too large") }
        let whole = steps + extent + (outputPadding?[index] ?? 0)
        var (padBegin, padEnd) = (0, 0)
        var output = whole
        var requested = spatialOutputShape?[index]
        if requested == nil, window.padding == .sameUpper || window.padding == .sameLower {
            requested = steps + stride
        }
        if let requested {
            let total = max(0, whole - requested)
            padBegin = window.padding == .sameUpper ? total / 2 : total - total / 2
            padEnd = total - padBegin
            output = requested
        } else if case .explicit(let begins, let ends) = window.padding {
            (padBegin, padEnd) = (begins[index], ends[index])
            output = whole - padBegin - padEnd
        }
        guard output > 0 || (requested == 0 && input == 0) else {
            throw error("spatial axis \(index) of the output has an extent of \(output)")
        }
        return Window.Axis(
            input: input, kernel: kernel, stride: stride, dilation: dilation, padBegin: padBegin,
            padEnd: padEnd, output: output)
    }

    private func requireAttributes(spatialRank: Int) throws(GraphError) {
        try window.requireRank(spatialRank)
        if let outputPadding, outputPadding.count != spatialRank {
            throw error("output_padding has \(outputPadding.count) elements, expected \(spatialRank)")
        }
        if let spatialOutputShape, spatialOutputShape.count != spatialRank {
            throw error("output_shape has \(spatialOutputShape.count) elements, expected \(spatialRank)")
        }
    }

    private func kernelExtent(_ index: Int, _ weight: ValueInfo) throws(GraphError) -> Int? {
        let stated = window.kernel?[index]
        guard let actual = weight.dimensions?[index + 2].value else { return stated }
        if let stated, stated != actual {
            throw error(
                "W has a kernel extent of \(actual) on spatial axis \(index), kernel_shape says \(stated)")
        }
        return actual
    }

    /// Adds, tap by tap, what each output channel gets from its group's input channels.
    private func scatter(
        _ xs: [Double], _ weights: [Double], _ axes: [Window.Axis], images: Int,
        channels: (input: Int, output: Int), into result: inout [Double]
    ) {
        let positions = axes.reduce(1) { $0 * $1.input }
        let outputPositions = axes.reduce(1) { $0 * $1.output }
        let taps = axes.reduce(1) { $0 * $1.kernel }
        var sums = [Double](repeating: 0, count: positions)
        var tap = Odometer(axes.map(\.kernel))
        var tapIndex = 0
        repeat {
            let targets = targets(axes, tap: tap.indices, positions: positions)
            for row in 0..<images * group * channels.output {
                let (imageAndGroup, output) = row.quotientAndRemainder(dividingBy: channels.output)
                for index in sums.indices { sums[index] = 0 }
                for input in 0..<channels.input {
                    let channel = imageAndGroup % group * channels.input + input
                    let weight = weights[(channel * channels.output + output) * taps + tapIndex]
                    let base = (imageAndGroup * channels.input + input) * positions
                    for index in sums.indices { sums[index] += weight * xs[base + index] }
                }
                let base = row * outputPositions
                for index in sums.indices where targets[index] >= 0 {
                    result[base + targets[index]] += sums[index]
                }
            }
            tapIndex += 1
        } while tap.advance()
    }

    /// Where one tap of the kernel at each input position falls in the output's channel; -1 outside.
    private func targets(_ axes: [Window.Axis], tap: [Int], positions: Int) -> [Int] {
        (0..<positions).map { position in
            var (rest, offset, stride) = (position, 0, 1)
            for index in axes.indices.reversed() {
                let axis = axes[index]
                let coordinate = rest % axis.input * axis.stride + tap[index] * axis.dilation - axis.padBegin
                rest /= axis.input
                guard coordinate >= 0, coordinate < axis.output else { return -1 }
                offset += coordinate * stride
                stride *= axis.output
            }
            return offset
        }
    }
}
