import Graph

/// Resize and Upsample along axes that are not the channels': the weights of each output's taps add up to 1.
///
///     Σ w·(ax + b) = a·Σ w·x + b
///
/// Refuses: a resized channel axis; `tf_crop_and_resize`, which puts a number of its own outside; scales that are not
/// constant.
/// Source: ONNX Resize-19, Upsample-9.
struct ForwardThroughResize: ForwardPassage {
    func matches(_ node: Node) -> Bool { node.operation is Resize || node.operation is Upsample }

    func pass(_ site: ForwardSite, _ plan: inout ForwardPlan) throws(FoldRefusal) -> ForwardPassing {
        let affine = try site.onlyFirst().affine
        let rank = try site.inputDimensions().count
        guard site.node.stringAttribute("coordinate_transformation_mode") != "tf_crop_and_resize" else {
            throw FoldRefusal("it puts a number of its own where it has no elements")
        }
        guard try Self.keeps(affine.axis, site, rank: rank) else {
            throw FoldRefusal(
                "it resizes axis \(affine.axis), which is the channels', or its scales are not constant")
        }
        return ForwardPassing(node: site.rewired, outputs: [affine])
    }

    /// Whether the axis is not resized: its scale is 1, or its size is its extent.
    private static func keeps(_ axis: Int, _ site: ForwardSite, rank: Int) throws(FoldRefusal) -> Bool {
        let node = site.node
        var place = axis
        if case .integers(let axes)? = node.attributes["axes"] {
            let stated = axes.map { $0 < 0 ? Int($0) + rank : Int($0) }
            guard let found = stated.firstIndex(of: axis) else { return true }
            place = found
        }
        if case .reals(let scales)? = node.attributes["scales"] {
            return place < scales.count && scales[place] == 1
        }
        let isOld = node.operation is Upsample || node.opset < 11
        if let name = node.input(isOld ? 1 : 2) {
            guard let scales = site.context.graph.fixedConstant(name), scales.elementType.isFloatingPoint
            else {
                return false
            }
            if scales.shape.count > 0 { return place < scales.shape.count && scales.reals[place] == 1 }
        }
        guard !isOld, node.stringAttribute("keep_aspect_ratio_policy") ?? "stretch" == "stretch",
            let name = node.input(3), let sizes = site.context.values[name]?.elements, place < sizes.count,
            let extent = try site.inputDimensions()[axis].value
        else { return false }
        return sizes[place] == .known(extent)
    }
}
