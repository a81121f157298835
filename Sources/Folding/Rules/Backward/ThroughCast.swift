import Graph
import Tensors

/// Takes an affine through a Cast to a wider floating type, in mixed precision.
///
///     narrow(a⊙wide(x) + b) → a⊙x + b
///
/// Both casts go, so what is between them runs in the narrow type: only nodes that move elements may be there.
/// Refuses: a Cast to another type; an affine that no Cast back to x's type follows at once.
struct ThroughCast: BackwardStep {
    let name = "batchnorm-through-cast"
    let types = ["Cast"]
    let rearranges = true

    func take(_ site: BackwardSite, in plan: inout BackwardPlan) throws(FoldRefusal) {
        guard site.context.isWideningCast(site.node), let input = site.node.input(0) else {
            throw site.refusal("Cast does not keep every value")
        }
        guard site.demand.isWide, site.input(0)?.elementType == plan.narrowType else {
            let before = site.context.index.producer(of: input)?.type ?? "what precedes it"
            throw site.refusal("what follows is not cast back to the element type of \(before)")
        }
        try plan.removeCast(site, input)
    }
}

extension FoldContext {
    /// Whether `node` casts a floating type to one that holds all its values.
    func isWideningCast(_ node: Node) -> Bool {
        guard node.operation is Cast, let input = node.input(0), let output = node.outputs.first ?? nil,
            let from = values[input]?.elementType, let to = values[output]?.elementType
        else { return false }
        return Self.holds(to, from)
    }

    /// The Cast that alone reads `value`, when it is one to a type that `value`'s holds all values of.
    func narrowingCast(of value: String) -> Node? {
        let readers = index.consumers(of: value)
        guard readers.count == 1, readers[0].operation is Cast, !index.isGraphOutput(value),
            let output = readers[0].outputs.first ?? nil, let from = values[value]?.elementType,
            let to = values[output]?.elementType, Self.holds(from, to)
        else { return nil }
        return readers[0]
    }

    private static func holds(_ wide: ElementType, _ narrow: ElementType) -> Bool {
        switch (narrow, wide) {
        case (.float16, .float32), (.float16, .float64), (.bfloat16, .float32), (.bfloat16, .float64),
            (.float32, .float64):
            return true
        default: return false
        }
    }
}
