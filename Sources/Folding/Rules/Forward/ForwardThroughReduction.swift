import Graph

/// ReduceMean, ReduceMax and ReduceMin along axes that are not the channels'.
///
///     mean(ax + b) = a·mean(x) + b      max(ax + b) = a·max(x) + b for a > 0, and min
///
/// Refuses: the channels' own axis, unless all channels have the same affine; a scale of ReduceMax or ReduceMin that is
/// not positive; axes that are not constant.
/// Source: ONNX ReduceMean-18, ReduceMax-20, ReduceMin-20.
struct ForwardThroughReduction: ForwardPassage {
    func matches(_ node: Node) -> Bool { Self.axes(of: node) != nil }

    func pass(_ site: ForwardSite, _ plan: inout ForwardPlan) throws(FoldRefusal) -> ForwardPassing {
        let flow = try site.onlyFirst()
        let dimensions = try site.inputDimensions()
        guard let axes = Self.axes(of: site.node),
            let reduced = Self.reduced(axes, site, rank: dimensions.count)
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

    private static func axes(of node: Node) -> ReducedAxes? {
        switch node.operation {
        case let operation as ReduceMean: operation.axes
        case let operation as ReduceMax: operation.axes
        case let operation as ReduceMin: operation.axes
        default: nil
        }
    }

    private static func reduced(_ axes: ReducedAxes, _ site: ForwardSite, rank: Int) -> Set<Int>? {
        var stated = axes.stated
        if stated == nil, let name = site.node.input(1) {
            guard let elements = site.context.values[name]?.knownElements else { return nil }
            stated = elements
        }
        guard let stated, !stated.isEmpty else { return axes.isIdentityWithoutAxes ? [] : Set(0..<rank) }
        let normalized = stated.map { $0 < 0 ? $0 + rank : $0 }
        return normalized.allSatisfy { (0..<rank).contains($0) } ? Set(normalized) : nil
    }
}
