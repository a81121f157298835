import Graph
import Tensors

/// Folds an affine into the nodes before it: a weight, or a whole tree of them, takes it, and the affine is gone.
///
///     f(W·x)⊙a + b = f′(W′·x)      where f commutes with the affine, or with what becomes of it
///
/// Each operator on the way is a `BackwardStep`: the first ones below hold the affine in their constants, the others send
/// it to their inputs. When one branch of several cannot take its part nothing is changed.
///
/// A value that is read as it is, too, or that is a graph output, cannot change; the node before it is not cloned for the
/// affine's sake: a convolution twice costs more than a scale and shift, which engines run for nothing behind one.
/// In mixed precision the Cast before the affine and the Cast behind it go together: see `ThroughCast`.
package struct FoldBackward: FoldRule {
    package static let standardSteps: [any BackwardStep] = [
        // What holds an affine.
        IntoConv(),
        IntoConvTranspose(),
        IntoGemm(),
        IntoMatMul(),
        // What only moves elements.
        ThroughTranspose(),
        ThroughReshape(),
        ThroughConcat(),
        ThroughSplit(),
        ThroughSlice(),
        ThroughGather(),
        ThroughDepthToSpace(),
        ThroughTile(),
        ThroughExpand(),
        ThroughPad(),
        ThroughCast(),
        // What computes.
        ThroughSum(),
        ThroughNegation(),
        ThroughProduct(),
        ThroughAverage(),
        ThroughMaximum(),
        ThroughResize(),
        ThroughRelu(),
        ThroughClip(),
    ]

    package let name = "batchnorm-backward"
    private let steps: BackwardSteps

    package init(steps: [any BackwardStep] = Self.standardSteps) { self.steps = BackwardSteps(steps) }

    package func proposal(at node: Node, in context: FoldContext) throws(FoldRefusal) -> FoldProposal? {
        guard let affine = node.operation as? Affine, let input = node.input(0),
            let output = node.outputs.first ?? nil, let producer = context.index.producer(of: input),
            steps[producer] != nil
        else { return nil }
        if let cast = context.narrowingCast(of: output), let narrowed = cast.outputs.first ?? nil,
            let type = context.values[narrowed]?.elementType
        {
            var hasMetCast = false
            do throws(FoldRefusal) {
                return try search(
                    affine, input, node, defining: narrowed, removing: [node, cast], narrowingTo: type,
                    context, &hasMetCast)
            } catch {
                // With no Cast on the way the one behind stays.
                guard !hasMetCast else { throw error }
            }
        }
        var hasMetCast = false
        return try search(
            affine, input, node, defining: output, removing: [node], narrowingTo: nil, context, &hasMetCast)
    }

    /// Makes plans until one is not refused. Throws the first one's refusal.
    private func search(
        _ affine: Affine, _ input: String, _ node: Node, defining output: String, removing removed: [Node],
        narrowingTo type: ElementType?, _ context: FoldContext, _ hasMetCast: inout Bool
    ) throws(FoldRefusal) -> FoldProposal {
        var choices = BackwardChoices()
        var first: FoldRefusal?
        while true {
            var plan = BackwardPlan(for: node, in: context, narrowingTo: type, choices: choices)
            do throws(FoldRefusal) {
                try plan.run(affine, on: input, defining: output, steps: steps)
                return try plan.proposal(removing: removed, scale: affine.scale, output: output)
            } catch {
                if first == nil { first = error }
                hasMetCast = hasMetCast || plan.hasMetCast
                choices = plan.choices
                guard choices.advance() else { throw first ?? error }
            }
        }
    }
}

/// The steps by operator.
struct BackwardSteps: Sendable {
    private let steps: [String: any BackwardStep]

    /// The first step for an operator is the one that is asked.
    init(_ list: [any BackwardStep]) {
        var steps: [String: any BackwardStep] = [:]
        for step in list {
            for type in step.types where steps[type] == nil { steps[type] = step }
        }
        self.steps = steps
    }

    subscript(_ node: Node) -> (any BackwardStep)? {
        node.domain.isEmpty || node.domain == "ai.onnx" ? steps[node.type] : nil
    }
}
