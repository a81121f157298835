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
        guard site.node.stringAttribute("coordinate_transformation_mode") != "tf_crop_and_resize" else {
            throw FoldRefusal("it puts a number of its own where it has no elements")
        }
        guard site.context.keepsAxis(affine.axis, ofResize: site.node) else {
            throw FoldRefusal(
                "it resizes axis \(affine.axis), which is the channels', or its scales are not constant")
        }
        return ForwardPassing(node: site.rewired, outputs: [affine])
    }
}
