import Graph
import Tensors

/// Convolutions: an affine of the input goes into the columns of the weight, one of the output into its rows.
///
///     W·(q⊙x + t) + c:  weight W⊙q, shift c + Σ W·t where no tap meets padding, S[row, tap] = Σ W·t where one does
///
/// A constant Pad before a convolution without pads becomes its pads: a tap outside reads v, not q·x + t. Channels that a
/// Pad has added are all shift. Source: ONNX Conv-22, ConvTranspose-22, Pad-25.
struct ConvolutionForms: FormRule {
    func form(_ site: FormSite) throws(Obstacle) -> Form? {
        guard let form = site.form(0), let weight = site.constant(1), weight.elementType.isFloatingPoint,
            weight.shape.rank >= 3, weight.shape.count > 0, let extents = site.extents,
            extents.count == weight.shape.rank, let input = form.core.extents,
            input.count == extents.count
        else { return nil }
        let result: Form?
        switch site.node.operation {
        case let conv as Conv: result = try convolution(conv, form, weight, site)
        case let transposed as ConvTranspose: result = try self.transposed(transposed, form, weight, site)
        default: return nil
        }
        guard let result, let bias = site.form(2) else { return result }
        // A bias that a caller may give stays beside the rest.
        return Form(try site.applied([.form(result), .absent, .form(bias)]))
    }

    // MARK: - Conv

    private func convolution(
        _ conv: Conv, _ form: Form, _ weight: Tensor, _ site: FormSite
    ) throws(Obstacle) -> Form? {
        let rank = weight.shape.rank
        guard let extents = form.core.extents else { return nil }
        var geometry = Application.Padding(rank: rank - 2)
        for axis in 0..<rank - 2 {
            let resolved: Window.Axis
            do {
                resolved = try conv.window.axis(
                    axis, input: extents[axis + 2], kernel: weight.shape[axis + 2])
            } catch {
                throw Obstacle("\(error)")
            }
            geometry.begins[axis] = resolved.padBegin
            geometry.ends[axis] = resolved.padEnd
        }
        var plain = WeightView(
            weight, name: site.name(1), outerCount: weight.shape[0], middleCount: weight.shape[1],
            innerCount: weight.shape.dimensions[2...].reduce(1, *), rowsAreOuter: true, group: conv.group)
        var (form, constants) = (form, [Ball]?.none)
        if let budget = site.selectionBudget, conv.group == 1, extents[1] == plain.columnCount,
            plain.isFinite,
            let live = try LiveChannels(form, axis: 1, zerosAlone: !geometry.isZero, budget)
        {
            try budget.take(plain)
            constants = plain.products(with: live.constants)
            plain = plain.selecting(rows: false, live.positions)
            form = live.form
        }
        guard var source = try Source(form, convolutionPads: geometry, channels: plain.columnCount) else {
            return nil
        }
        var view = plain
        if let scale = source.scale { view.scaleColumns(by: scale) }
        if source.channelCount < view.columnCount { view.usedColumns = source.channelCount }
        var shift = [Ball](repeating: .zero, count: view.rowCount)
        var tapShift: [Ball]?
        // What every tap reads outside is added everywhere, and taken away where a tap is inside.
        if let outside = source.outside {
            add(plain.products(with: outside), to: &shift)
            source.shift = zip(source.shift ?? outside.map { _ in .zero }, outside).map { $0 - $1 }
        }
        if let inner = source.shift {
            let products = plain.products(with: inner)
            if source.pads.isZero {
                add(products, to: &shift)
            } else if !products.allSatisfy({ $0.isExactly(0) }) {
                tapShift = products
            }
        }
        if let constants { add(constants, to: &shift) }
        try add(bias: site.constant(2), to: &shift)
        let map = LinearMap(
            node: site.node,
            geometry: .convolution(
                pads: source.pads.begins + source.pads.ends,
                strides: (0..<rank - 2).map { conv.window.strides?[$0] ?? 1 },
                dilations: (0..<rank - 2).map { conv.window.dilations?[$0] ?? 1 },
                kernel: Array(weight.shape.dimensions[2...]), group: conv.group),
            input: source.core, weight: view, tapShift: tapShift, outputAxis: 1)
        return Form(try site.core(.linear(map)), shift: Field(shift, axis: 1, rank: rank))
    }

    // MARK: - ConvTranspose

    private func transposed(
        _ conv: ConvTranspose, _ form: Form, _ weight: Tensor, _ site: FormSite
    ) throws(Obstacle) -> Form? {
        let rank = weight.shape.rank
        guard let input = form.core.extents, let output = site.extents else { return nil }
        var (pads, isPointwise) = ([Int](), true)
        for axis in 0..<rank - 2 {
            let resolved: Window.Axis
            do {
                resolved = try conv.axis(axis, input: input[axis + 2], kernel: weight.shape[axis + 2])
            } catch {
                throw Obstacle("\(error)")
            }
            pads += [resolved.padBegin, resolved.padEnd]
            isPointwise =
                isPointwise && resolved.kernel == 1 && resolved.stride == 1
                && output[axis + 2] == input[axis + 2] && resolved.padBegin == 0
        }
        var view = WeightView(
            weight, name: site.name(1), outerCount: weight.shape[0], middleCount: weight.shape[1],
            innerCount: weight.shape.dimensions[2...].reduce(1, *), rowsAreOuter: false, group: conv.group)
        var shift = [Ball](repeating: .zero, count: view.rowCount)
        if let field = form.shift {
            guard isPointwise, let inner = field.along(1, count: view.columnCount) else { return nil }
            for (row, sum) in view.products(with: inner).enumerated() { shift[row] = sum }
        }
        if let field = form.scale {
            guard let scale = field.along(1, count: view.columnCount) else { return nil }
            view.scaleColumns(by: scale)
        }
        try add(bias: site.constant(2), to: &shift)
        let map = LinearMap(
            node: site.node,
            geometry: .transposedConvolution(
                pads: pads, strides: (0..<rank - 2).map { conv.window.strides?[$0] ?? 1 },
                dilations: (0..<rank - 2).map { conv.window.dilations?[$0] ?? 1 },
                kernel: Array(weight.shape.dimensions[2...]), group: conv.group, output: Array(output[2...])),
            input: form.core, weight: view, outputAxis: 1)
        return Form(try site.core(.linear(map)), shift: Field(shift, axis: 1, rank: rank))
    }

    /// Adds numbers for each row and tap.
    private func add(_ sums: [Ball], to shift: inout [Ball]) {
        guard !shift.isEmpty else { return }
        let tapCount = sums.count / shift.count
        for (index, sum) in sums.enumerated() { shift[index / tapCount] = shift[index / tapCount] + sum }
    }

    private func add(bias: Tensor?, to shift: inout [Ball]) throws(Obstacle) {
        guard let bias else { return }
        guard bias.shape.rank == 1, let field = Field(bias, rank: 1), field.balls.count == shift.count else {
            throw Obstacle("the bias \(bias.shape) is not for \(shift.count) channels")
        }
        for row in shift.indices { shift[row] = shift[row] + field.balls[row] }
    }
}

/// What a convolution reads, once the affine and the Pad before it have been taken apart: q⊙x + t inside, v outside.
private struct Source {
    let core: Core
    /// For each channel of `core`.
    var scale: [Ball]?
    /// For each channel that the convolution reads.
    var shift: [Ball]?
    /// What taps read in the padding, when it is not 0.
    var outside: [Ball]?
    let pads: Application.Padding
    let channelCount: Int

    /// `nil` when the affine is not one of channels.
    init?(_ form: Form, convolutionPads: Application.Padding, channels: Int) throws(Obstacle) {
        var (form, pads, outside) = (form, convolutionPads, [Ball]?.none)
        if pads.isZero, let padded = PaddingForms.spatial(form.core), form.isPlain || padded.inner.isPlain {
            var value = padded.value
            if let scale = form.scale { value = try value * scale }
            if let shift = form.shift { value = try value + shift }
            guard let values = value.along(1, count: channels) else { return nil }
            outside = values.allSatisfy { $0.isExactly(0) } ? nil : values
            form = form.isPlain ? padded.inner : Form(padded.inner.core, scale: form.scale, shift: form.shift)
            pads = padded.pads
        }
        var extended = form.core
        var count = channels
        if let inner = PaddingForms.zeroChannels(form.core) {
            extended = inner.core
            count = inner.channelCount
        }
        if let field = form.scale {
            guard let balls = field.along(1, count: channels) else { return nil }
            scale = balls
        }
        if let field = form.shift {
            guard let balls = field.along(1, count: channels) else { return nil }
            shift = balls
        }
        core = extended
        channelCount = count
        self.pads = pads
        self.outside = outside
    }
}
