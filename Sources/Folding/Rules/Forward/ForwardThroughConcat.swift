import Graph

/// Concat: along the channels, those of branches without an affine get the scale 1 and the shift 0; along another axis,
/// every branch must have the same affine.
///
/// Refuses: extents of the axis that are not known; branches that differ.
/// Source: ONNX Concat-13.
struct ForwardThroughConcat: ForwardPassage {
    func matches(_ node: Node) -> Bool { node.operation is Concat }

    func pass(_ site: ForwardSite, _ plan: inout ForwardPlan) throws(FoldRefusal) -> ForwardPassing {
        guard let concat = site.node.operation as? Concat, let first = site.flows.values.first,
            let rank = site.dimensions(of: first.value)?.count
        else { throw FoldRefusal("the rank of its input is not known") }
        let axis = concat.axis < 0 ? concat.axis + rank : concat.axis
        let affines = site.node.inputs.indices.map { site.flows[$0]?.affine }
        if first.affine.axis != axis, affines.allSatisfy({ $0.map { $0.isSame(as: first.affine) } ?? false })
        {
            return ForwardPassing(node: site.rewired, outputs: [first.affine])
        }
        var (scale, shift): ([Double], [Double]) = ([], [])
        for (name, affine) in zip(site.node.inputs, affines) {
            guard let dimensions = site.dimensions(of: name), axis < dimensions.count,
                let count = dimensions[axis].value
            else { throw FoldRefusal("the extents of its branches are not known") }
            guard let affine else {
                scale += [Double](repeating: 1, count: count)
                shift += [Double](repeating: 0, count: count)
                continue
            }
            guard let own = affine.axis == axis ? affine : affine.spread(over: count, axis: axis) else {
                throw FoldRefusal("its branches differ along axis \(affine.axis)")
            }
            scale += own.scale
            shift += own.shift
        }
        return ForwardPassing(
            node: site.rewired, outputs: [Affine(scale: scale, shift: shift, axis: axis)])
    }
}

extension Affine {
    fileprivate func isSame(as other: Affine) -> Bool {
        axis == other.axis && scale == other.scale && shift == other.shift
    }
}
