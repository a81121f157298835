import Graph
import Tensors

/// Affines, batch normalizations and arithmetic with constants:
///
///     Affine                a⊙x + b
///     BatchNormalization    γ/√(σ²+ε)⊙x + (β − γ/√(σ²+ε)·μ)      on axis 1
///     x·k, x/k, x+k, x−k, k−x, −x                                k of any shape that broadcasts to x
///     Cast that widens or that takes a widening back
///
/// Source: Ioffe & Szegedy 2015; ONNX BatchNormalization-15, Add-14, Sub-14, Mul-14, Div-14, Neg-13, Cast-24.
struct ChannelwiseForms: FormRule {
    func form(_ site: FormSite) throws(Obstacle) -> Form? {
        switch site.node.operation {
        case let affine as Affine: return try self.affine(affine, site)
        case is BatchNormalization: return try normalization(site)
        case is Cast: return cast(site)
        case is Neg:
            guard let form = site.form(0), let rank = site.rank else { return nil }
            return try form.applying(scale: Field(uniform: Ball(-1), rank: rank), shift: nil)
        case is Add, is Sub, is Mul, is Div: return try arithmetic(site)
        default: return nil
        }
    }

    private func affine(_ affine: Affine, _ site: FormSite) throws(Obstacle) -> Form? {
        guard let form = site.form(0), let rank = site.rank, affine.axis < rank, !affine.scale.isEmpty else {
            return nil
        }
        return try form.applying(
            scale: Field(affine.scale.map(Ball.init), axis: affine.axis, rank: rank),
            shift: Field(affine.shift.map(Ball.init), axis: affine.axis, rank: rank))
    }

    private func normalization(_ site: FormSite) throws(Obstacle) -> Form? {
        guard let form = site.form(0), let rank = site.rank, rank >= 2, site.output == 0,
            let scale = parameter(1, site), let bias = parameter(2, site), let mean = parameter(3, site),
            let variance = parameter(4, site), scale.count == bias.count, scale.count == mean.count,
            scale.count == variance.count, !scale.isEmpty
        else { return nil }
        let epsilon: Float =
            if case .real(let value) = site.node.attributes["epsilon"] { value } else { 1e-5 }
        var factors: [Ball] = []
        var shifts: [Ball] = []
        for channel in scale.indices {
            guard let deviation = (variance[channel] + Ball(Double(epsilon))).squareRoot,
                let inverse = deviation.reciprocal
            else { throw Obstacle("variance + epsilon may be 0 or less in channel \(channel)") }
            factors.append(scale[channel] * inverse)
            shifts.append(bias[channel] - factors[channel] * mean[channel])
        }
        return try form.applying(
            scale: Field(factors, axis: 1, rank: rank), shift: Field(shifts, axis: 1, rank: rank))
    }

    private func parameter(_ index: Int, _ site: FormSite) -> [Ball]? {
        guard let tensor = site.constant(index), tensor.shape.rank == 1 else { return nil }
        return Field(tensor, rank: 1)?.balls
    }

    private func arithmetic(_ site: FormSite) throws(Obstacle) -> Form? {
        let isConstantFirst = site.constant(0) != nil
        guard let operand = site.form(isConstantFirst ? 1 : 0), let rank = site.rank,
            let tensor = site.constant(isConstantFirst ? 0 : 1), let constant = Field(tensor, rank: rank),
            let extents = site.extents, let form = try operand.broadcast(to: extents, site)
        else { return nil }
        switch site.node.operation {
        case is Mul: return try form.applying(scale: constant, shift: nil)
        case is Add: return try form.applying(scale: nil, shift: constant)
        case is Sub where isConstantFirst:
            return try form.applying(scale: Field(uniform: Ball(-1), rank: rank), shift: constant)
        case is Sub:
            return try form.applying(scale: nil, shift: constant.map { (ball) throws(Obstacle) in -ball })
        case is Div where !isConstantFirst:
            let reciprocal = try constant.map { (ball) throws(Obstacle) in
                guard let inverse = ball.reciprocal else { throw Obstacle("a divisor is 0") }
                return inverse
            }
            return try form.applying(scale: reciprocal, shift: nil)
        default: return nil
        }
    }

    /// A Cast to a wider type changes nothing. One that casts back to the type in which the core is computed rounds what
    /// was rounded there already: in mixed precision the proof is of the function before these two roundings.
    private func cast(_ site: FormSite) -> Form? {
        guard let form = site.form(0), let from = form.core.type, let to = site.info.elementType,
            from.isFloatingPoint, to.isFloatingPoint, Self.holds(to, from)
        else { return nil }
        return form
    }

    private static func holds(_ wide: ElementType, _ narrow: ElementType) -> Bool {
        switch (narrow, wide) {
        case (.float16, .float32), (.float16, .float64), (.bfloat16, .float32), (.bfloat16, .float64),
            (.float32, .float64):
            true
        default: narrow == wide
        }
    }
}
