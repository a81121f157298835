import Graph

/// Takes an affine through a Tile: channel i of the output is channel i mod C of the input.
///
/// Refuses: channels that a repetition would have to treat differently.
/// Source: ONNX Tile-13.
struct ThroughTile: BackwardStep {
    let name = "batchnorm-through-tile"
    let types = ["Tile"]
    let rearranges = true

    func take(_ site: BackwardSite, in plan: inout BackwardPlan) throws(FoldRefusal) {
        let (axis, count) = (site.affine.axis, site.affine.scale.count)
        if site.affine.isUniform {
            try plan.pass(try site.affine(onAxis: axis), at: site)
            return
        }
        guard let dimensions = site.input(0)?.dimensions, axis < dimensions.count,
            let extent = dimensions[axis].value, extent > 0, count.isMultiple(of: extent),
            let affine = site.affine.placed(at: (0..<count).map { $0 % extent }, of: extent, axis: axis)
        else { throw site.refusal("the repeated channels differ") }
        try plan.pass(affine, at: site)
    }
}
