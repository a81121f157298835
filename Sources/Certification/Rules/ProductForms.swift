import Graph
import Tensors

/// Matrix products with a constant:
///
///     Gemm      α·A′·B′ + β·C        rows are B′'s columns; α is in them, β·C is the shift
///     MatMul    x·W, W·x             the axis of x that is summed over carries q and t
///
/// Source: ONNX Gemm-13, MatMul-13.
struct ProductForms: FormRule {
    func form(_ site: FormSite) throws(Obstacle) -> Form? {
        switch site.node.operation {
        case let gemm as Gemm: return try self.gemm(gemm, site)
        case is MatMul: return try matMul(site)
        default: return nil
        }
    }

    private func gemm(_ gemm: Gemm, _ site: FormSite) throws(Obstacle) -> Form? {
        guard let form = site.form(0), let weight = site.constant(1), weight.shape.rank == 2,
            weight.elementType.isFloatingPoint, weight.shape.count > 0, site.extents?.count == 2
        else { return nil }
        let isTransposed = site.node.flag("transB")
        guard site.node.real("alpha", default: 1).isFinite, site.node.real("beta", default: 1).isFinite else {
            return nil
        }
        var view = Self.view(weight, site.name(1), rowsAreOuter: isTransposed)
        let alpha = Ball(Double(site.node.real("alpha", default: 1)))
        view.rowScale = alpha.isExactly(1) ? nil : [Ball](repeating: alpha, count: view.rowCount)
        let axis = site.node.flag("transA") ? 0 : 1
        guard
            var result = try product(
                form, view, contracted: axis, outputAxis: 1,
                geometry: .product(contractedFromLast: 1 - axis), site)
        else { return nil }
        if let bias = site.constant(2) {
            guard let field = Field(bias, rank: 2) else { return nil }
            let beta = Field(uniform: Ball(Double(site.node.real("beta", default: 1))), rank: 2)
            result = try result.applying(scale: nil, shift: try field * beta)
        }
        guard let bias = site.form(2) else { return result }
        // A bias that a caller may give stays beside the rest.
        return Form(try site.applied([.form(result), .absent, .form(bias)]))
    }

    private func matMul(_ site: FormSite) throws(Obstacle) -> Form? {
        guard let rank = site.rank, rank >= 2 else { return nil }
        if let form = site.form(0), let weight = site.constant(1), weight.shape.rank == 2,
            weight.elementType.isFloatingPoint, weight.shape.count > 0, form.core.rank == rank
        {
            return try product(
                form, Self.view(weight, site.name(1), rowsAreOuter: false), contracted: rank - 1,
                outputAxis: rank - 1, geometry: .product(contractedFromLast: 0), site)
        }
        if let form = site.form(1), let weight = site.constant(0), weight.shape.rank == 2,
            weight.elementType.isFloatingPoint, weight.shape.count > 0, form.core.rank == rank
        {
            return try product(
                form, Self.view(weight, site.name(0), rowsAreOuter: true), contracted: rank - 2,
                outputAxis: rank - 2, geometry: .leftProduct, site)
        }
        return nil
    }

    private static func view(_ weight: Tensor, _ name: String, rowsAreOuter: Bool) -> WeightView {
        WeightView(
            weight, name: name, outerCount: weight.shape[0], middleCount: weight.shape[1], innerCount: 1,
            rowsAreOuter: rowsAreOuter)
    }

    private func product(
        _ form: Form, _ view: WeightView, contracted: Int, outputAxis: Int, geometry: LinearMap.Geometry,
        _ site: FormSite
    ) throws(Obstacle) -> Form? {
        guard let rank = site.rank, form.core.extents?[contracted] == view.columnCount else { return nil }
        var (view, form) = (view, form)
        var shift: Field?
        if let budget = site.selectionBudget, view.isFinite,
            let live = try LiveChannels(form, axis: contracted, zerosAlone: false, budget)
        {
            try budget.take(view)
            shift = Field(view.products(with: live.constants), axis: outputAxis, rank: rank)
            view = view.selecting(rows: false, live.positions)
            form = live.form
        }
        if let field = form.shift {
            guard let inner = field.along(contracted, count: view.columnCount) else { return nil }
            let sums = Field(view.products(with: inner), axis: outputAxis, rank: rank)
            shift = try shift.map { (field) throws(Obstacle) in try field + sums } ?? sums
        }
        if let field = form.scale {
            guard let scale = field.along(contracted, count: view.columnCount) else { return nil }
            view.scaleColumns(by: scale)
        }
        let map = LinearMap(
            node: site.node, geometry: geometry, input: form.core, weight: view, outputAxis: outputAxis)
        return Form(try site.core(.linear(map)), shift: shift)
    }
}

extension Node {
    func flag(_ name: String) -> Bool {
        if case .integer(1) = attributes[name] { true } else { false }
    }

    func real(_ name: String, default value: Float) -> Float {
        if case .real(let stated) = attributes[name] { stated } else { value }
    }
}
