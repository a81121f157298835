import Graph

/// ReduceMean, ReduceMax and ReduceMin along axes that are not the channels'.
///
///     mean(ax + b) = a·mean(x) + b      max(ax + b) = a·max(x) + b for a > 0, and min
///
/// Refuses: the channels' own axis, unless all channels have the same affine; a scale of ReduceMax or ReduceMin that is
/// not positive; axes that are not constant.
/// Source: ONNX ReduceMean-18, ReduceMax-20, ReduceMin-20.
struct ForwardThroughReduction: ForwardPassage {
    func matches(_ node: Node) -> Bool { node.reducedAxes != nil }

    func pass(_ site: ForwardSite, _ plan: inout ForwardPlan) throws(FoldRefusal) -> ForwardPassing {
        let flow = try site.onlyFirst()
        let dimensions = try site.inputDimensions()
        guard let axes = site.node.reducedAxes,
            let reduced = site.context.reducedAxes(of: site.node, rank: dimensions.count)
        else { throw FoldRefusal("its axes are not constant") }
        if !(site.node.operation is ReduceMean) {
            guard flow.affine.scale.allSatisfy({ $0 > 0 }) else {
                throw FoldRefusal("it lets no scale through that is not positive")
            }
        }
        var affine = flow.affine
        if reduced.contains(affine.axis) {
            let rest = dimensions.indices.first { !reduced.contains($0) && (dimensions[$0].value ?? 0) > 0 }
            guard affine.isUniform, let rest, let count = dimensions[rest].value,
                let uniform = affine.spread(over: count, axis: rest)
            else { throw FoldRefusal("it reduces axis \(affine.axis), which is the channels'") }
            affine = uniform
        }
        let axis = axes.keepsDimensions ? affine.axis : affine.axis - reduced.count { $0 < affine.axis }
        return ForwardPassing(node: site.rewired, outputs: [affine.moved(to: axis)])
    }
}
