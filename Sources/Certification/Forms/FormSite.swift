import Graph
import Tensors

/// One output of one node, with what its inputs are, where a form rule looks at it.
struct FormSite {
    enum Operand: Sendable {
        case absent
        case constant(Tensor, name: String)
        case form(Form)
    }

    let node: Node
    /// The position of the output among the node's.
    let output: Int
    let operands: [Operand]
    /// What is known of the output.
    let info: ValueInfo
    /// What taking constant channels out of weights may cost; `nil`: they stay.
    var selectionBudget: SelectionBudget?

    var extents: [Int]? { info.shape }
    var rank: Int? { info.rank }

    func form(_ index: Int) -> Form? {
        if index < operands.count, case .form(let form) = operands[index] { form } else { nil }
    }

    func constant(_ index: Int) -> Tensor? {
        if index < operands.count, case .constant(let tensor, _) = operands[index] { tensor } else { nil }
    }

    func name(_ index: Int) -> String {
        if index < operands.count, case .constant(_, let name) = operands[index] { name } else { "" }
    }

    func isAbsent(_ index: Int) -> Bool {
        if index < operands.count, case .absent = operands[index] { true } else { index >= operands.count }
    }

    func core(_ kind: Core.Kind) throws(Obstacle) -> Core {
        try Core(kind, extents: extents, type: info.elementType)
    }

    /// The operator applied to these arguments, or to its operands as they are.
    func applied(
        _ arguments: [Application.Argument]? = nil, _ passage: Application.Passage = .none
    ) throws(Obstacle) -> Core {
        let all =
            arguments
            ?? operands.map { operand in
                switch operand {
                case .absent: .absent
                case .constant(let tensor, _): .constant(tensor)
                case .form(let form): .form(form)
                }
            }
        return try core(
            .apply(Application(node: node, output: output, arguments: all, passage: passage)))
    }
}

/// What one family of operators does to forms, derived from the operators' specification alone.
///
/// A family is one file in Rules/ and one line in `FormBuilder`.
protocol FormRule: Sendable {
    /// `nil`: not this rule's operator, or not one that it can say anything of.
    func form(_ site: FormSite) throws(Obstacle) -> Form?
}

/// Makes the forms of a graph's values.
struct FormBuilder: Sendable {
    /// The first that knows an operator makes the form; any other operator is applied to forms as it is.
    static let rules: [any FormRule] = [
        ChannelwiseForms(), ConvolutionForms(), ProductForms(), RecurrentForms(), NormalizationForms(),
        SumForms(), ActivationForms(), PoolingForms(), PaddingForms(), MovementForms(),
    ]

    func form(_ site: FormSite) throws(Obstacle) -> Form {
        do {
            for rule in Self.rules {
                if let form = try rule.form(site) { return form }
            }
            return Form(try site.applied())
        } catch {
            var located = error
            located.node = located.node ?? site.node.name
            throw located
        }
    }
}
