import Graph
import Tensors

/// LSTM, GRU and RNN: an affine of the input goes into the input's weight and bias, which come before every gate.
///
///     W·(q⊙x + t) + Wb:  weight W⊙q, bias Wb + W·t
///
/// W [directions, gates·hidden, input], B [directions, 2·gates·hidden]: those of W, then those of R.
/// Source: ONNX LSTM-22, GRU-22, RNN-22.
struct RecurrentForms: FormRule {
    func form(_ site: FormSite) throws(Obstacle) -> Form? {
        guard site.node.operation.isRecurrentLayer, let form = site.form(0),
            let weight = site.constant(1),
            weight.shape.rank == 3, weight.elementType.isFloatingPoint, weight.shape.count > 0,
            form.core.extents?.count == 3, form.core.extents?[2] == weight.shape[2],
            site.isAbsent(3) || site.constant(3) != nil
        else { return nil }
        let (directions, gates, inputs) = (weight.shape[0], weight.shape[1], weight.shape[2])
        var view = WeightView(
            weight, name: site.name(1), outerCount: directions * gates, middleCount: inputs, innerCount: 1,
            rowsAreOuter: true)
        var bias = [Ball](repeating: .zero, count: directions * gates * 2)
        if let stated = site.constant(3) {
            guard let field = Field(stated, rank: 2), field.balls.count == bias.count else { return nil }
            bias = field.balls
        }
        if let field = form.shift {
            guard let inner = field.along(2, count: inputs) else { return nil }
            for (row, sum) in view.products(with: inner).enumerated() {
                let position = row / gates * 2 * gates + row % gates
                bias[position] = bias[position] + sum
            }
        }
        if let field = form.scale {
            guard let scale = field.along(2, count: inputs) else { return nil }
            view.scaleColumns(by: scale)
        }
        var arguments: [Application.Argument] = [.form(Form(form.core)), .weight(view)]
        for (index, operand) in site.operands.enumerated().dropFirst(2) where index != 3 {
            switch operand {
            case .absent: arguments.append(.absent)
            case .constant(let tensor, _): arguments.append(.constant(tensor))
            case .form(let form): arguments.append(.form(form))
            }
        }
        arguments.append(.field(Field(extents: [directions, 2 * gates], balls: bias)))
        return Form(try site.applied(arguments))
    }
}
