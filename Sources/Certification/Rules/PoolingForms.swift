import Graph
import Tensors

/// Pools, means over axes and resizing: an affine that is the same along the axes that they combine goes through.
///
///     AveragePool                      the scale; the shift too where every tap counts that is inside, and no other
///     GlobalAveragePool, ReduceMean    both
///     MaxPool, GlobalMaxPool, ReduceMax, ReduceMin    both, for a ≥ 0
///     Resize, Upsample                 both, where the taps' weights sum to 1
///
/// Source: ONNX AveragePool-22, GlobalAveragePool-22, MaxPool-22, ReduceMean-18, Resize-19.
struct PoolingForms: FormRule {
    func form(_ site: FormSite) throws(Obstacle) -> Form? {
        guard let form = site.form(0), let inner = form.core.extents, let extents = site.extents,
            site.output == 0
        else { return nil }
        let spatial = Array(2..<max(2, inner.count))
        switch site.node.operation {
        case let pool as AveragePool:
            return try reduced(form, site, spatial, takesShift: Self.isMean(pool))
        case is MaxPool:
            // With the second output come positions, which a scale does not change, but nothing here says so.
            guard site.node.outputs.count == 1 else { return nil }
            return try reduced(form, site, spatial, isMaximum: true)
        case is GlobalAveragePool: return try reduced(form, site, spatial)
        case is GlobalMaxPool: return try reduced(form, site, spatial, isMaximum: true)
        case is ReduceMean, is ReduceMax, is ReduceMin:
            guard let axes = axes(site, rank: inner.count) else { return nil }
            return try reduced(
                form, site, axes, keepsRank: extents.count == inner.count,
                isMaximum: !(site.node.operation is ReduceMean))
        case is Resize, is Upsample:
            guard extents.count == inner.count, Self.sumsToOne(site) else { return nil }
            let axes = inner.indices.filter {
                inner[$0] != extents[$0] || !Self.keeps($0, rank: inner.count, site)
            }
            return try reduced(form, site, axes)
        default: return nil
        }
    }

    private func reduced(
        _ form: Form, _ site: FormSite, _ axes: [Int], keepsRank: Bool = true, isMaximum: Bool = false,
        takesShift: Bool = true
    ) throws(Obstacle) -> Form? {
        var arguments: [Application.Argument] = [.form(form)]
        for operand in site.operands.dropFirst() {
            switch operand {
            case .constant(let tensor, _): arguments.append(.constant(tensor))
            case .absent: arguments.append(.absent)
            case .form: return nil
            }
        }
        let passage = Application.Passage.reduction(
            axes: axes, keepsRank: keepsRank, needsPositive: isMaximum)
        let scale = form.scale
        var (shift, rest) = (form.shift, Field?.none)
        if let own = form.shift, !own.isUniform(along: axes), takesShift, scale == nil {
            // What differs along the axes stays inside, from its first number on.
            let first = own.first(along: axes)
            (shift, rest) = (first, try own.combined(first, -))
        }
        let isUniform = [scale, shift].allSatisfy { $0?.isUniform(along: axes) ?? true }
        guard isUniform, shift == nil || takesShift, !isMaximum || scale?.isNonnegative ?? true else {
            return Form(try site.applied(arguments, passage))
        }
        arguments[0] = .form(Form(form.core, shift: rest))
        let core = try site.applied(arguments, passage)
        return Form(
            core, scale: keepsRank ? scale : scale?.removing(axes: axes),
            shift: keepsRank ? shift : shift?.removing(axes: axes))
    }

    /// Whether the mean is over elements of the input alone.
    private static func isMean(_ pool: AveragePool) -> Bool {
        guard pool.countsPads else { return true }
        switch pool.window.padding {
        // What overhangs the pads never counts.
        case nil, .valid: return true
        case .explicit(let begins, let ends): return (begins + ends).allSatisfy { $0 == 0 }
        case .sameUpper, .sameLower: return false
        }
    }

    private static func sumsToOne(_ site: FormSite) -> Bool {
        if case .string("tf_crop_and_resize")? = site.node.attributes["coordinate_transformation_mode"] {
            return false
        }
        return true
    }

    /// Whether a resize leaves an axis of the same extent alone: a scale may be rounded to that extent and still blend
    /// its elements.
    private static func keeps(_ axis: Int, rank: Int, _ site: FormSite) -> Bool {
        let attributes = site.node.attributes
        var place = axis
        if case .integers(let stated)? = attributes["axes"] {
            let axes = stated.map { $0 < 0 ? Int($0) + rank : Int($0) }
            guard let found = axes.firstIndex(of: axis) else { return true }
            place = found
        }
        if case .reals(let scales)? = attributes["scales"] {
            return place < scales.count && scales[place] == 1
        }
        let isOld = site.node.operation is Upsample || site.node.opset < 11
        if let scales = site.constant(isOld ? 1 : 2), scales.shape.count > 0 {
            return ExactTensor(scales).reals.map { place < $0.count && $0[place] == 1 } ?? false
        }
        // A size is the extent; a common scale for all axes may be another than 1.
        if case .string(let policy)? = attributes["keep_aspect_ratio_policy"], policy != "stretch" {
            return false
        }
        return !isOld && (site.constant(3)?.shape.count ?? 0) > 0
    }

    /// The axes of a reduction: an attribute, or since opset 18 an input.
    private func axes(_ site: FormSite, rank: Int) -> [Int]? {
        var stated: [Int]?
        if case .integers(let axes)? = site.node.attributes["axes"] { stated = axes.map { Int($0) } }
        if let tensor = site.constant(1) { stated = ExactTensor(tensor).integers.map { $0.map { Int($0) } } }
        guard let stated, !stated.isEmpty, site.isAbsent(1) || site.constant(1) != nil else { return nil }
        let axes = stated.map { $0 < 0 ? $0 + rank : $0 }
        return axes.allSatisfy((0..<rank).contains) ? axes.sorted() : nil
    }
}
