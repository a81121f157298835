import Graph
import Tensors

/// What elements that an operator leaves out are scaled by: nobody sees them, but what they are made of may be seen.
enum LeftOutScale {
    /// What their neighbours are: what is the same along an axis stays so, and a weight takes it.
    case neighbours
    /// Nothing: another part of a concatenation than the one that is read stays as it is.
    case one
}

/// How an affine that follows a form gets into it: the scale into weights as far as operators let it through, the shift
/// outside.
extension Form {
    func applying(
        scale: Field?, shift: Field?, leftOut: LeftOutScale = .neighbours
    ) throws(Obstacle) -> Form {
        // What is the same everywhere has no axis.
        let (scale, shift) = (scale?.compressed, shift?.compressed)
        var outer = self.shift
        if let scale, let inner = outer { outer = try inner * scale }
        if let shift { outer = try outer.map { (field) throws(Obstacle) in try field + shift } ?? shift }
        guard let scale else { return Form(core, scale: self.scale, shift: outer) }
        guard scale.isFinite, outer?.isFinite ?? true else {
            throw Obstacle("a scale or shift is not finite")
        }
        if let own = self.scale, !own.isNonnegative {
            // What a sign has kept outside an activation gets in once the sign is gone.
            let whole = try own * scale
            if whole.isNonnegative {
                let (absorbing, rest) = try core.absorbing(whole, leftOut)
                return Form(absorbing, scale: rest, shift: outer)
            }
        }
        var (absorbing, rest) = try core.absorbing(scale, leftOut)
        if let own = self.scale { rest = try rest.map { (field) throws(Obstacle) in try own * field } ?? own }
        return Form(absorbing, scale: rest, shift: outer)
    }
}

extension Form {
    /// The value repeated to these extents where `site`'s operator broadcasts it; `nil` when they do not fit.
    func broadcast(to extents: [Int], _ site: FormSite) throws(Obstacle) -> Form? {
        guard let own = core.extents, own.count <= extents.count else { return nil }
        if own == extents { return self }
        let aligned = [Int](repeating: 1, count: extents.count - own.count) + own
        guard zip(aligned, extents).allSatisfy({ $0 == $1 || $0 == 1 }) else { return nil }
        let repeated = try Core(
            .apply(
                Application(
                    node: site.node, output: 0, arguments: [.form(Form(core))], passage: .broadcast)),
            extents: extents, type: core.type)
        return Form(
            repeated, scale: scale?.extended(toRank: extents.count),
            shift: shift?.extended(toRank: extents.count))
    }
}

extension Core {
    /// The core with as much of `scale` in it as it takes, and the rest.
    func absorbing(_ scale: Field, _ leftOut: LeftOutScale) throws(Obstacle) -> (core: Core, rest: Field?) {
        if scale.isExactly(1) { return (self, nil) }
        switch kind {
        case .leaf: return (self, scale)
        case .zero: return (self, nil)
        case .linear(var map):
            guard let factors = scale.along(map.outputAxis, count: map.weight.rowCount) else {
                return (self, scale)
            }
            map.weight.scaleRows(by: factors)
            if let shift = map.tapShift {
                let taps = map.weight.innerCount
                map.tapShift = shift.indices.map { shift[$0] * factors[$0 / taps] }
            }
            return (try replaced(.linear(map)), nil)
        case .sum(let forms):
            var scaled: [Form] = []
            for form in forms {
                scaled.append(try form.applying(scale: scale, shift: nil, leftOut: leftOut))
            }
            return (try replaced(.sum(scaled)), nil)
        case .apply(let application):
            return try absorbing(scale, into: application, leftOut)
        }
    }

    private func absorbing(
        _ scale: Field, into application: Application, _ leftOut: LeftOutScale
    ) throws(Obstacle) -> (core: Core, rest: Field?) {
        switch application.passage {
        case .none: return (self, scale)
        case .clamping: return try ActivationForms.absorbing(scale, into: application, self, leftOut)
        case .padding: return try PaddingForms.absorbing(scale, into: application, self, leftOut)
        case .positiveFactors:
            guard scale.isNonnegative else { return (self, scale) }
            return try absorbing(scale, inner: scale, into: application, leftOut)
        case .reduction(let axes, let keepsRank, let needsPositive):
            guard !needsPositive || scale.isNonnegative, let rank = application.forms.first?.core.rank else {
                return (self, scale)
            }
            let inner = keepsRank ? scale : scale.inserting(axes: axes, rank: rank)
            guard let inner, inner.isUniform(along: axes) else { return (self, scale) }
            return try absorbing(scale, inner: inner, into: application, leftOut)
        case .movement, .broadcast:
            guard let map = MovementMap(application, output: extents),
                let inner = map.pulledBack(scale, leftOut)
            else { return (self, scale) }
            let result = try absorbing(scale, inner: inner, into: application, leftOut)
            // Inside it is not tried both ways again, so the work grows with the square of the depth at most.
            guard leftOut == .neighbours, result.rest != nil, map.leavesOut,
                let only = map.pulledBack(scale, .one)
            else { return result }
            return try absorbing(scale, inner: only, into: application, .one)
        case .concatenation(let axis):
            guard let pieces = scale.split(axis: axis, as: application.forms.map { $0.core.extents }) else {
                return (self, scale)
            }
            var (arguments, rests) = ([Application.Argument](), [Field?]())
            for (form, piece) in zip(application.forms, pieces) {
                let (core, rest) = try form.core.absorbing(piece, leftOut)
                arguments.append(.form(Form(core)))
                rests.append(rest)
            }
            let rest = try Field.concatenating(
                rests, neutral: .one, axis: axis, extents: application.forms.map { $0.core.extents })
            return (try replaced(application, arguments), rest)
        case .product, .quotient:
            for (index, form) in application.forms.enumerated() {
                if index > 0, case .quotient = application.passage { break }
                guard let extents = form.core.extents,
                    zip(extents, scale.extents).allSatisfy({ $0 == $1 || $1 == 1 })
                else { continue }
                let scaled = try form.applying(scale: scale, shift: nil, leftOut: leftOut)
                guard scaled.scale == form.scale else { continue }
                var arguments = application.arguments
                arguments[index] = .form(scaled)
                return (try replaced(application, arguments), nil)
            }
            return (self, scale)
        }
    }

    /// Into the first argument: all of it where a shift stands beside it, else what its core takes, and the rest outside.
    private func absorbing(
        _ scale: Field, inner: Field, into application: Application, _ leftOut: LeftOutScale
    ) throws(Obstacle) -> (core: Core, rest: Field?) {
        guard case .form(let form) = application.arguments[0] else { return (self, scale) }
        var arguments = application.arguments
        if form.isPlain {
            let (core, rest) = try form.core.absorbing(inner, leftOut)
            // A part that stays outside would have to come back through the operator.
            guard rest == nil else { return (self, scale) }
            arguments[0] = .form(Form(core))
        } else {
            arguments[0] = .form(try form.applying(scale: inner, shift: nil, leftOut: leftOut))
        }
        return (try replaced(application, arguments), nil)
    }

    private func replaced(_ kind: Kind) throws(Obstacle) -> Core {
        try Core(kind, extents: extents, type: type)
    }

    func replaced(
        _ application: Application, _ arguments: [Application.Argument]
    ) throws(Obstacle) -> Core {
        var moved = application
        moved.arguments = arguments
        return try replaced(.apply(moved))
    }
}
