import Tensors

/// What a node computes: attributes, the shapes that follow from its inputs, and one evaluation written from the
/// specification, the oracle of every faster execution.
///
/// An operator is one file in Operators/ and one line in `OperatorCatalog`.
package protocol Operator: Sendable {
    /// The operator's name in its domain: `Conv`.
    static var type: String { get }

    /// Reads the attributes by the model's operator set version.
    ///
    /// Throws `GraphError.attribute` for a value out of range. The caller checks that every attribute was read.
    init(_ attributes: inout AttributeReader) throws(GraphError)

    var family: OperatorFamily { get }

    /// How many inputs and outputs the operator takes; an absent optional input counts when a later one is present.
    var inputCount: ClosedRange<Int> { get }
    var outputCount: ClosedRange<Int> { get }

    /// The outputs' element types and dimensions, as far as they follow from the inputs'.
    ///
    /// `nil` stands for an absent optional input. Throws `GraphError.input` for inputs that no run could accept.
    func inferOutputs(_ inputs: [ValueInfo?], outputCount: Int) throws(GraphError) -> [ValueInfo]

    /// The outputs' elements, computed in Double for floating types and exactly for the others, never rounded to the
    /// element type: that is the `Evaluator`'s part.
    ///
    /// Throws `GraphError.input` where the specification gives no result.
    func evaluate(_ inputs: [ExactTensor?], outputCount: Int) throws(GraphError) -> [ExactTensor]
}

extension Operator {
    package var outputCount: ClosedRange<Int> { 1...1 }

    /// An error that names this operator.
    package func error(_ reason: String) -> GraphError { .input(Self.type, reason: reason) }
}
