/// Operators that are treated alike, with what they have in common.
///
/// The operator itself says which it is. A cast to the protocol would look through every conformance in the program, once
/// for each type that has none: a tenth of a millisecond and more each time.
package enum OperatorFamily {
    case controlFlow(any ControlFlowOperator)
    case recurrent
    case rows(any RowFunction)
    /// Element by element, of inputs that are broadcast together.
    case elementwise
    case cumulative
    case reduction
    case argReduction
    case none
}

extension Operator {
    package var family: OperatorFamily { .none }

    /// The operator, where it runs subgraphs.
    package var controlFlow: (any ControlFlowOperator)? {
        if case .controlFlow(let operation) = family { operation } else { nil }
    }

    package var isRecurrentLayer: Bool {
        if case .recurrent = family { true } else { false }
    }
}

extension ControlFlowOperator {
    package var family: OperatorFamily { .controlFlow(self) }
}

extension RecurrentLayer {
    package var family: OperatorFamily { .recurrent }
}

extension UnaryFunction {
    package var family: OperatorFamily { .elementwise }
}

extension BinaryOperator {
    package var family: OperatorFamily { .elementwise }
}

extension Variadic {
    package var family: OperatorFamily { .elementwise }
}

extension RowFunction {
    package var family: OperatorFamily { .rows(self) }
}

extension Cumulative {
    package var family: OperatorFamily { .cumulative }
}

extension Reduction {
    package var family: OperatorFamily { .reduction }
}

extension ArgReduction {
    package var family: OperatorFamily { .argReduction }
}
