import Graph

/// MaxPool, AveragePool, GlobalMaxPool and GlobalAveragePool, which work on each channel by itself.
///
///     max(ax + b) = a·max(x) + b for a > 0      mean(ax + b) = a·mean(x) + b
///
/// Refuses: channels on a spatial axis; a scale of MaxPool that is not positive, or its indices when somebody asks for
/// them; a shift of an AveragePool that counts pads, which are 0 before and behind the affine, or that counts and rounds
/// up: runtimes differ in what they count of a last window that overhangs the input.
/// Source: ONNX MaxPool-22, AveragePool-22, GlobalMaxPool-22, GlobalAveragePool-22.
struct ForwardThroughPool: ForwardPassage {
    func matches(_ node: Node) -> Bool {
        node.operation is MaxPool || node.operation is AveragePool || node.operation is GlobalMaxPool
            || node.operation is GlobalAveragePool
    }

    func pass(_ site: ForwardSite, _ plan: inout ForwardPlan) throws(FoldRefusal) -> ForwardPassing {
        let flow = try site.onlyFirst()
        // Items of the batch are as far apart as channels are.
        let affine = flow.affine.axis == 0 ? flow.affine : try site.affine(on: 1)
        if site.node.operation is MaxPool || site.node.operation is GlobalMaxPool {
            guard affine.scale.allSatisfy({ $0 > 0 }) else {
                throw FoldRefusal("it lets no scale through that is not positive")
            }
            guard !plan.context.needsOtherOutputs(of: site.node) else {
                throw FoldRefusal("its indices are asked for")
            }
        }
        if let pool = site.node.operation as? AveragePool, affine.hasShift, pool.mayCountPads {
            throw FoldRefusal("it counts its pads, where the shift would be missing")
        }
        return ForwardPassing(node: site.rewired, outputs: [affine])
    }
}
