import Graph
import Tensors

/// Sums of values and constants, and products and quotients of two values:
///
///     (a₁⊙x₁ + b₁) + (a₂⊙x₂ + b₂) = (a₁⊙x₁ + a₂⊙x₂) + (b₁ + b₂)      (a₁⊙x₁)·(a₂⊙x₂) = a₁a₂⊙(x₁·x₂)
///
/// Source: ONNX Add-14, Sub-14, Sum-13, Mean-13, Mul-14, Div-14.
struct SumForms: FormRule {
    /// The most terms of one sum.
    static let maximumTermCount = 64

    func form(_ site: FormSite) throws(Obstacle) -> Form? {
        guard let rank = site.rank, let extents = site.extents, site.operands.count >= 2 else { return nil }
        switch site.node.operation {
        case is Add, is Sum: return try sum(site, extents, negatingLast: false)
        case is Mean:
            let share = Ball(Double(site.operands.count)).reciprocal ?? .one
            return try sum(site, extents, negatingLast: false)?.applying(
                scale: Field(uniform: share, rank: rank), shift: nil)
        case is Sub: return try sum(site, extents, negatingLast: true)
        case is Mul, is Div:
            let forms = site.operands.indices.compactMap { site.form($0) }
            guard forms.count == 2, forms.allSatisfy({ $0.core.extents?.count == rank }) else { return nil }
            return try product(forms, site)
        default: return nil
        }
    }

    /// Scales that nothing inside has taken stand before the product, or the quotient's first operand.
    private func product(_ forms: [Form], _ site: FormSite) throws(Obstacle) -> Form {
        let isProduct = site.node.operation is Mul
        var (forms, outer) = (forms, Field?.none)
        for index in forms.indices where forms[index].shift == nil && (isProduct || index == 0) {
            guard let scale = forms[index].scale else { continue }
            outer = try outer.map { (field) throws(Obstacle) in try field * scale } ?? scale
            forms[index].scale = nil
        }
        let core = try site.applied(forms.map { .form($0) }, isProduct ? .product : .quotient)
        return try Form(core).applying(scale: outer, shift: nil)
    }

    private func sum(_ site: FormSite, _ extents: [Int], negatingLast: Bool) throws(Obstacle) -> Form? {
        var terms: [Form] = []
        var shift: Field?
        for index in site.operands.indices {
            var added: Field?
            if let tensor = site.constant(index) {
                added = Field(tensor, rank: extents.count)
                guard added != nil else { return nil }
            } else {
                guard var form = try site.form(index)?.broadcast(to: extents, site) else { return nil }
                if negatingLast, index == 1 {
                    form = try form.applying(
                        scale: Field(uniform: Ball(-1), rank: extents.count), shift: nil)
                }
                if case .sum(let inner) = form.core.kind, form.scale == nil {
                    terms += inner
                } else {
                    terms.append(Form(form.core, scale: form.scale))
                }
                added = form.shift
            }
            if let added {
                shift = try shift.map { (field) throws(Obstacle) in try field + added } ?? added
            }
        }
        guard let first = terms.first else { return nil }
        if terms.count == 1 { return Form(first.core, scale: first.scale, shift: shift) }
        guard terms.count <= Self.maximumTermCount else {
            throw Obstacle("a sum has more than \(Self.maximumTermCount) terms")
        }
        return Form(try site.core(.sum(terms)), shift: shift)
    }
}
