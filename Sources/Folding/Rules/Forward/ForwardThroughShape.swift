import Graph

/// Shape and Size, which read no element: what they give is what it was.
///
/// Source: ONNX Shape-15, Size-13.
struct ForwardThroughShape: ForwardPassage {
    func matches(_ node: Node) -> Bool { node.operation is ShapeOperator || node.operation is Size }

    func pass(_ site: ForwardSite, _ plan: inout ForwardPlan) throws(FoldRefusal) -> ForwardPassing {
        ForwardPassing(node: site.rewired, outputs: [nil])
    }
}
