import Graph
import Tensors

/// Activations through which factors get:
///
///     Relu, LeakyRelu, PRelu:  f(a⊙x) = a⊙f(x)                             for a ≥ 0
///     Clip:                    a⊙clip(x, l, h) + b = clip(a⊙x + b, a⊙l + b, a⊙h + b)    for a ≥ 0
///
/// Source: ONNX Relu-14, LeakyRelu-16, PRelu-16, Clip-13.
struct ActivationForms: FormRule {
    func form(_ site: FormSite) throws(Obstacle) -> Form? {
        guard let form = site.form(0), let rank = site.rank, form.core.extents != nil else { return nil }
        switch site.node.operation {
        case is Relu, is LeakyRelu: break
        case is PRelu: guard site.constant(1) != nil, form.core.extents == site.extents else { return nil }
        case let clip as Clip: return try self.clip(clip, form, rank, site)
        default: return nil
        }
        var arguments: [Application.Argument] = [.form(form)]
        if let slope = site.constant(1) { arguments.append(.constant(slope)) }
        guard form.shift == nil, let scale = form.scale, scale.isNonnegative else {
            return Form(try site.applied(arguments, .positiveFactors))
        }
        arguments[0] = .form(Form(form.core))
        return Form(try site.applied(arguments, .positiveFactors), scale: scale)
    }

    private func clip(_ clip: Clip, _ form: Form, _ rank: Int, _ site: FormSite) throws(Obstacle) -> Form? {
        var arguments: [Application.Argument] = [.form(form)]
        for (index, stated) in [(1, clip.minimum), (2, clip.maximum)] {
            if let tensor = site.constant(index) {
                guard tensor.shape.count == 1, let value = Field(tensor, rank: tensor.shape.rank) else {
                    return nil
                }
                arguments.append(.field(Field(uniform: value.balls[0], rank: rank)))
            } else if let stated, stated.isFinite {
                arguments.append(.field(Field(uniform: Ball(Double(stated)), rank: rank)))
            } else if site.isAbsent(index) {
                arguments.append(.absent)
            } else {
                return nil
            }
        }
        return Form(try site.applied(arguments, .clamping))
    }

    /// Clip of a positive affine.
    static func applying(
        scale: Field?, shift: Field?, to application: Application, _ core: Core
    ) throws(Obstacle) -> Core? {
        guard case .clamping = application.passage, case .form(let inner) = application.arguments[0],
            scale?.isNonnegative ?? true
        else { return nil }
        var moved = application
        moved.arguments[0] = .form(try inner.applying(scale: scale, shift: shift))
        for index in 1..<moved.arguments.count {
            guard case .field(var bound) = moved.arguments[index] else { continue }
            if let scale { bound = try bound * scale }
            if let shift { bound = try bound + shift }
            moved.arguments[index] = .field(bound)
        }
        return try Core(.apply(moved), extents: core.extents, type: core.type)
    }
}
