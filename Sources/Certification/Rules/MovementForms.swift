import Graph
import Tensors

/// Operators whose output elements are input elements: an affine goes along with them.
///
///     move(a⊙x + b) = move(a)⊙move(x) + move(b)
struct MovementForms: FormRule {
    private static let types: Set<String> = [
        "Transpose", "Reshape", "Flatten", "Squeeze", "Unsqueeze", "Slice", "Split", "Gather", "DepthToSpace",
        "SpaceToDepth", "Expand", "Tile", "Pad",
    ]

    func form(_ site: FormSite) throws(Obstacle) -> Form? {
        if site.node.operation is Concat { return try concatenation(site) }
        if site.node.operation is ShapeOperator || site.node.operation is Size {
            // Of a value only the extents count, which its core has too.
            guard let form = site.form(0) else { return nil }
            return Form(try site.applied([.form(Form(form.core))]))
        }
        guard Self.types.contains(site.node.type), let form = site.form(0), form.core.extents != nil,
            let extents = site.extents,
            site.operands.indices.dropFirst().allSatisfy({
                site.constant($0) != nil || site.isAbsent($0) || site.node.operation is Reshape
            })
        else { return nil }
        if let pad = site.node.operation as? Pad, pad.mode == .constant {
            guard PaddingForms.padding(pad, site)?.isCrop ?? false else { return nil }
        }
        var arguments: [Application.Argument] = [.form(Form(form.core))]
        for operand in site.operands.dropFirst() {
            switch operand {
            case .constant(let tensor, _): arguments.append(.constant(tensor))
            case .form(let form): arguments.append(.form(form))
            case .absent: arguments.append(.absent)
            }
        }
        let core = try site.applied(arguments, .movement)
        if form.isPlain { return Form(core) }
        guard let inner = form.core.extents,
            let map = MovementMap(site.node, site.output, arguments, inner, extents)
        else { return nil }
        return Form(core, scale: form.scale.map(map.pushed), shift: form.shift.map(map.pushed))
    }

    private func concatenation(_ site: FormSite) throws(Obstacle) -> Form? {
        guard let rank = site.rank, rank > 0, case .integer(let stated)? = site.node.attributes["axis"]
        else { return nil }
        let axis = Int(stated) < 0 ? Int(stated) + rank : Int(stated)
        var forms: [Form] = []
        for index in site.operands.indices {
            if let form = site.form(index) {
                forms.append(form)
            } else if let tensor = site.constant(index), let field = Field(tensor, rank: rank) {
                let zero = try Core(.zero, extents: tensor.shape.dimensions, type: tensor.elementType)
                forms.append(Form(zero, shift: field))
            } else {
                return nil
            }
        }
        guard (0..<rank).contains(axis), forms.allSatisfy({ $0.core.extents?.count == rank }) else {
            return nil
        }
        let extents = forms.map(\.core.extents)
        return Form(
            try site.applied(forms.map { .form(Form($0.core)) }, .concatenation(axis: axis)),
            scale: try Field.concatenating(forms.map(\.scale), neutral: .one, axis: axis, extents: extents),
            shift: try Field.concatenating(forms.map(\.shift), neutral: .zero, axis: axis, extents: extents))
    }
}
