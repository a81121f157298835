import Graph
import Tensors

/// Pad with a constant. Its value may differ from channel to channel here, so that an affine of channels gets through:
///
///     pad_v(a⊙x + b) = a⊙pad_{(v−b)/a}(x) + b        for a ≠ 0
///
/// Elements added behind the channels become zeros and a shift. Source: ONNX Pad-25.
struct PaddingForms: FormRule {
    func form(_ site: FormSite) throws(Obstacle) -> Form? {
        guard let pad = site.node.operation as? Pad, pad.mode == .constant, let form = site.form(0),
            let extents = site.extents, let inner = form.core.extents, extents.count == inner.count,
            let padding = Self.padding(pad, site), !padding.isCrop, let value = value(site)
        else { return nil }
        let rank = extents.count
        let axes = padding.axes
        if [form.scale, form.shift].allSatisfy({ $0?.isUniform(along: axes) ?? true }), axes != [1],
            let form = try Self.uniform(site, padding, form, Field(uniform: Ball(value), rank: rank))
        {
            return form
        }
        // Added elements become zeros, a factor of 1 and a shift.
        guard value.isFinite else { return nil }
        let unshifted = Field(uniform: .zero, rank: rank)
        var shift = form.shift
        if shift != nil || value != 0 { shift = try (shift ?? unshifted).spread(along: axes, of: inner) }
        return Form(
            try Self.core(site, padding, Form(form.core), unshifted),
            scale: try form.scale?.padded(padding, .one, to: extents),
            shift: try shift?.padded(padding, Ball(value), to: extents))
    }

    /// An affine that is the same along the axes that grow; `nil` where a is 0 and the value does not follow.
    private static func uniform(
        _ site: FormSite, _ padding: Application.Padding, _ form: Form, _ value: Field
    ) throws(Obstacle) -> Form? {
        if !value.isFinite {
            // Less, or more, than anything stays so, but for a factor of 0.
            guard form.scale?.balls.allSatisfy(\.isPositive) ?? true else {
                return Form(try core(site, padding, form, value))
            }
            return Form(try core(site, padding, Form(form.core), value), scale: form.scale, shift: form.shift)
        }
        var inner = value
        if let shift = form.shift { inner = try inner.combined(shift, -) }
        if let scale = form.scale, !inner.isExactly(0) {
            let inverses = scale.balls.compactMap(\.reciprocal)
            guard inverses.count == scale.balls.count else { return nil }
            inner = try inner * Field(extents: scale.extents, balls: inverses)
        }
        return Form(
            try core(site, padding, Form(form.core), inner), scale: form.scale, shift: form.shift)
    }

    private static func core(
        _ site: FormSite, _ padding: Application.Padding, _ form: Form, _ value: Field
    ) throws(Obstacle) -> Core {
        try site.applied([.form(form), .field(value)], .padding(padding))
    }

    static func padding(_ pad: Pad, _ site: FormSite) -> Application.Padding? {
        guard let rank = site.rank else { return nil }
        let infos = site.operands.map { operand -> ValueInfo? in
            switch operand {
            case .absent: nil
            case .constant(let tensor, _): ValueInfo(constant: tensor)
            case .form(let form): ValueInfo(form.core.type, nil)
            }
        }
        guard let pads = try? pad.pads(infos, rank: rank) else { return nil }
        var padding = Application.Padding(rank: rank)
        padding.begins = pads.map(\.begin)
        padding.ends = pads.map(\.end)
        return padding
    }

    /// Before opset 11 an attribute, 0 by default.
    private func value(_ site: FormSite) -> Double? {
        if case .real(let value) = site.node.attributes["value"] { return Double(value) }
        guard let tensor = site.constant(2) else { return site.isAbsent(2) ? 0 : nil }
        guard tensor.shape.count == 1, let value = ExactTensor(tensor).reals?[0], !value.isNaN else {
            return nil
        }
        return value
    }

    // MARK: - For convolutions

    /// What a Pad of the spatial axes alone reads, adds and how much.
    static func spatial(_ core: Core) -> (inner: Form, value: Field, pads: Application.Padding)? {
        guard case .apply(let application) = core.kind, case .padding(let padding) = application.passage,
            case .form(let inner) = application.arguments[0],
            case .field(let value) = application.arguments[1],
            padding.begins[..<2] == [0, 0], padding.ends[..<2] == [0, 0]
        else { return nil }
        var pads = Application.Padding(rank: padding.begins.count - 2)
        pads.begins = Array(padding.begins[2...])
        pads.ends = Array(padding.ends[2...])
        guard (pads.begins + pads.ends).allSatisfy({ $0 >= 0 }) else { return nil }
        return (inner, value, pads)
    }

    /// What a Pad reads that adds channels of zeros, and how many channels that has.
    static func zeroChannels(_ core: Core) -> (core: Core, channelCount: Int)? {
        guard case .apply(let application) = core.kind, case .padding(let padding) = application.passage,
            case .form(let inner) = application.arguments[0], padding.ends[1] > 0,
            padding.begins[1] == 0, let extents = inner.core.extents, let padded = core.extents,
            extents.indices.allSatisfy({ $0 == 1 || extents[$0] == padded[$0] })
        else { return nil }
        return (inner.core, extents[1])
    }

    /// a⊙pad_v(x) = pad_{a⊙v}(a⊙x).
    static func absorbing(
        _ whole: Field, into application: Application, _ core: Core, _ leftOut: LeftOutScale
    ) throws(Obstacle) -> (core: Core, rest: Field?) {
        guard case .padding(let padding) = application.passage,
            case .form(let inner) = application.arguments[0],
            case .field(let value) = application.arguments[1],
            value.isFinite || whole.balls.allSatisfy(\.isPositive)
        else { return (core, whole) }
        var scale = whole
        if !scale.isUniform(along: padding.axes) {
            // Added zeros stay zeros, whatever scales them.
            guard value.isExactly(0), let extents = inner.core.extents else { return (core, whole) }
            scale = try scale.cropped(padding, to: extents)
        }
        var scaled = inner
        if inner.isPlain {
            let (absorbing, rest) = try inner.core.absorbing(scale, leftOut)
            guard rest == nil else { return (core, whole) }
            scaled = Form(absorbing)
        } else {
            scaled = try inner.applying(scale: scale, shift: nil, leftOut: leftOut)
        }
        return (
            try core.replaced(
                application, [.form(scaled), .field(value.isFinite ? try value * scale : value)]), nil
        )
    }
}
