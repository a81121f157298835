import Graph

/// What one output of a node must become: y′ = a⊙y + b under another name.
package struct BackwardDemand: Sendable {
    /// Its axis is one of the output's.
    package let affine: Affine
    /// What y′ is called.
    package let name: String
    /// Whether a Cast to a wider type must still come on the way back: see `ThroughCast`.
    let isWide: Bool
}

/// How one family of operators takes an affine that follows it: into its own constants, or onward to its inputs.
///
/// A step is one file in Rules/Backward/ and one line in `FoldBackward`.
package protocol BackwardStep: Sendable {
    /// What reports call it.
    var name: String { get }
    /// The operators, of ONNX's default domain.
    var types: [String] { get }
    /// Whether it only moves elements, so that it may run in a narrower type.
    var rearranges: Bool { get }

    /// Replaces the node in the plan and asks for what it needs of its inputs. Throws when that would not be exact.
    func take(_ site: BackwardSite, in plan: inout BackwardPlan) throws(FoldRefusal)
}

extension BackwardStep {
    package var rearranges: Bool { false }
}
