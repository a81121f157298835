import Graph
import Tensors

/// Activations through which factors get:
///
///     Relu, LeakyRelu, PRelu:  f(a⊙x) = a⊙f(x)                             for a ≥ 0
///     Clip:                    a⊙clip(x, l, h) = a⊙l + clip(a⊙(x − l), 0, a⊙(h − l))    for a ≥ 0
///
/// Source: ONNX Relu-14, LeakyRelu-16, PRelu-16, Clip-13.
struct ActivationForms: FormRule {
    func form(_ site: FormSite) throws(Obstacle) -> Form? {
        guard let form = site.form(0), let rank = site.rank, form.core.extents != nil else { return nil }
        switch site.node.operation {
        case is Relu: break
        case let leaky as LeakyRelu: guard leaky.alpha.isFinite else { return nil }
        case is PRelu:
            guard form.core.extents == site.extents, let slope = site.constant(1),
                ExactTensor(slope).reals?.allSatisfy(\.isFinite) ?? false
            else { return nil }
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
        // From the lower bound on, or from the upper one: whatever is added behind and before cancels.
        guard let anchor = arguments.dropFirst().lazy.compactMap(\.field).first else {
            return form
        }
        let negative = try anchor.map { (ball) throws(Obstacle) in -ball }
        arguments[0] = .form(try form.applying(scale: nil, shift: negative))
        for index in 1..<arguments.count {
            guard let bound = arguments[index].field else { continue }
            // The anchor itself is 0 exactly.
            arguments[index] = .field(
                bound == anchor ? Field(uniform: .zero, rank: rank) : try bound + negative)
        }
        return Form(try site.applied(arguments, .clamping), shift: anchor)
    }

    /// Into what is clipped, and into the bounds.
    static func absorbing(
        _ scale: Field, into application: Application, _ core: Core, _ leftOut: LeftOutScale
    ) throws(Obstacle) -> (core: Core, rest: Field?) {
        guard case .form(let inner) = application.arguments[0], scale.isNonnegative else {
            return (core, scale)
        }
        var arguments = application.arguments
        arguments[0] = .form(try inner.applying(scale: scale, shift: nil, leftOut: leftOut))
        for index in 1..<arguments.count {
            if let bound = arguments[index].field { arguments[index] = .field(try bound * scale) }
        }
        return (try core.replaced(application, arguments), nil)
    }
}
