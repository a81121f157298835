import Graph

/// Relu, LeakyRelu and PRelu, which are positively homogeneous.
///
///     f(a·x) = a·f(x) for a > 0
///
/// Refuses: any shift; a scale that is not positive. (ax + b behind Relu is |a|·Relu(sgn(a)·x + b/|a|), which leaves the shift.)
/// Source: ONNX Relu-14, LeakyRelu-16, PRelu-16.
struct ForwardThroughActivation: ForwardPassage {
    func matches(_ node: Node) -> Bool {
        node.operation is Relu || node.operation is LeakyRelu || node.operation is PRelu
    }

    func pass(_ site: ForwardSite, _ plan: inout ForwardPlan) throws(FoldRefusal) -> ForwardPassing {
        let affine = try site.onlyFirst().affine
        guard !affine.hasShift else { throw FoldRefusal("it lets no shift through") }
        guard affine.scale.allSatisfy({ $0 > 0 }) else {
            throw FoldRefusal("it lets no scale through that is not positive")
        }
        return ForwardPassing(node: site.rewired, outputs: [affine])
    }
}
