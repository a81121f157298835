import Graph
import Tensors

/// Sums of values of one shape, and products of two values:
///
///     (a₁⊙x₁ + b₁) + (a₂⊙x₂ + b₂) = (a₁⊙x₁ + a₂⊙x₂) + (b₁ + b₂)
///
/// Source: ONNX Add-14, Sub-14, Sum-13, Mul-14.
struct SumForms: FormRule {
    func form(_ site: FormSite) throws(Obstacle) -> Form? {
        let forms = site.operands.indices.compactMap { site.form($0) }
        guard forms.count == site.operands.count, forms.count >= 2, let rank = site.rank,
            let extents = site.extents
        else { return nil }
        switch site.node.operation {
        case is Add, is Sum: return try sum(forms, site)
        case is Sub:
            let negative = Field(uniform: Ball(-1), rank: rank)
            guard forms[1].core.extents == extents else { return nil }
            return try sum([forms[0], try forms[1].applying(scale: negative, shift: nil)], site)
        case is Mul:
            guard forms.allSatisfy({ $0.core.extents?.count == rank }) else { return nil }
            return Form(try site.applied(forms.map { .form($0) }, .product))
        default: return nil
        }
    }

    private func sum(_ forms: [Form], _ site: FormSite) throws(Obstacle) -> Form? {
        guard forms.allSatisfy({ $0.core.extents == site.extents }) else { return nil }
        var terms: [Form] = []
        var shift: Field?
        for form in forms {
            if case .sum(let inner) = form.core.kind, form.scale == nil {
                terms += inner
            } else {
                terms.append(Form(form.core, scale: form.scale))
            }
            if let own = form.shift {
                shift = try shift.map { (field) throws(Obstacle) in try field + own } ?? own
            }
        }
        guard terms.count <= 64 else { throw Obstacle("a sum has more than 64 terms") }
        return Form(try site.core(.sum(terms)), shift: shift)
    }
}
