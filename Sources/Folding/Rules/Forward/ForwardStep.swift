import Graph

/// One family of operators that an affine before them can go into or through.
///
/// A step is one file beside this one and one line in `ForwardSteps`.
protocol ForwardStep: Sendable {
    /// Whether `node` is one of the family.
    func matches(_ node: Node) -> Bool
}

/// Operators that take an affine into their parameters.
protocol ForwardAbsorber: ForwardStep {
    /// Writes the node with its new parameters into `plan`. Throws for an unmet precondition.
    func absorb(_ site: ForwardSite, into plan: inout ForwardPlan) throws(FoldRefusal)
}

/// Operators that an affine commutes with: f(a⊙x + b) = a′⊙f(x) + b′.
protocol ForwardPassage: ForwardStep {
    /// The node that reads the values before the affine. Throws for an unmet precondition.
    func pass(_ site: ForwardSite, _ plan: inout ForwardPlan) throws(FoldRefusal) -> ForwardPassing
}

/// What a passage made of a node.
struct ForwardPassing {
    var node: Node
    /// The affine behind each output; `nil` for an output that is what it was.
    var outputs: [Affine?]
}

/// All steps; the first that matches a node has it.
enum ForwardSteps {
    static let absorbers: [any ForwardAbsorber] = [
        ForwardIntoConv(),
        ForwardIntoConvTranspose(),
        ForwardIntoGemm(),
        ForwardIntoMatMul(),
        ForwardIntoRecurrent(),
        ForwardIntoAffine(),
    ]

    static let passages: [any ForwardPassage] = [
        ForwardThroughActivation(),
        ForwardThroughPool(),
        ForwardThroughReduction(),
        ForwardThroughPad(),
        ForwardThroughRearrangement(),
        ForwardThroughConcat(),
        ForwardThroughResize(),
        ForwardThroughShape(),
    ]
}
