import Graph

/// Takes an affine through a Resize or Upsample of other axes: the weights of every mode add up to 1.
///
///     Σₖ wₖ(a·xₖ + b) = a·Σₖ wₖxₖ + b
///
/// Refuses: `tf_crop_and_resize`, which has a value of its own outside; a channel axis that is resized, or that may be.
/// Source: ONNX Resize-19, Upsample-9.
struct ThroughResize: BackwardStep {
    let name = "batchnorm-through-resize"
    let types = ["Resize", "Upsample"]

    func take(_ site: BackwardSite, in plan: inout BackwardPlan) throws(FoldRefusal) {
        guard site.node.stringAttribute("coordinate_transformation_mode") != "tf_crop_and_resize" else {
            throw site.refusal("tf_crop_and_resize has a value of its own outside the input")
        }
        try plan.pass(
            try site.affine(onAxis: isKept(site.affine.axis, site) ? site.affine.axis : nil), at: site)
    }

    /// Whether an axis certainly stays as it is.
    private func isKept(_ axis: Int, _ site: BackwardSite) -> Bool {
        guard let before = site.input(0)?.dimensions, let after = site.output?.dimensions,
            axis < before.count, let extent = before[axis].value, after[axis] == .known(extent)
        else { return false }
        var position = axis
        if case .integers(let stated) = site.node.attributes["axes"] {
            let axes = stated.map { $0 < 0 ? Int($0) + before.count : Int($0) }
            guard let index = axes.firstIndex(of: axis) else { return true }
            position = index
        }
        // With a common scale for all axes the same extent may have been rounded to.
        let policy = site.node.stringAttribute("keep_aspect_ratio_policy") ?? "stretch"
        guard policy == "stretch" else { return false }
        guard let scales = scales(of: site) else { return hasSizes(site) }
        return scales.indices.contains(position) && scales[position] == 1
    }

    private func hasSizes(_ site: BackwardSite) -> Bool {
        guard site.node.type == "Resize", let sizes = site.input(3) else { return false }
        return sizes.dimensions != [.known(0)]
    }

    /// `nil` when sizes are given in their place, or when they are not constant.
    private func scales(of site: BackwardSite) -> [Double]? {
        if case .reals(let stated) = site.node.attributes["scales"] { return stated.map(Double.init) }
        let index = site.node.type == "Resize" && site.node.opset >= 11 ? 2 : 1
        guard !hasSizes(site), let tensor = site.context.graph.fixedConstant(site.node.input(index)) else {
            return nil
        }
        return tensor.reals
    }
}
