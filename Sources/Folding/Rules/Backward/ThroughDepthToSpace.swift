import Graph

/// Takes an affine between blocks of channels and blocks of pixels.
///
///     DepthToSpace: channel i of the input is channel i mod C of the output (DCR), or ⌊i/b²⌋ (CRD)
///     SpaceToDepth: channel o of the output is channel o mod C of the input
///
/// Refuses: behind SpaceToDepth, channels of one input channel that differ.
/// Source: ONNX DepthToSpace-13, SpaceToDepth-13.
struct ThroughDepthToSpace: BackwardStep {
    let name = "batchnorm-through-depth-to-space"
    let types = ["DepthToSpace", "SpaceToDepth"]
    let rearranges = true

    func take(_ site: BackwardSite, in plan: inout BackwardPlan) throws(FoldRefusal) {
        guard site.affine.axis == 1, !site.affine.isUniform else {
            try plan.pass(try site.affine(onAxis: site.affine.axis == 0 ? 0 : nil), at: site)
            return
        }
        let count = site.affine.scale.count
        if let operation = site.node.operation as? DepthToSpace {
            let square = operation.blockSize * operation.blockSize
            guard count <= RecogniseChannelArithmetic.maximumChannelCount / square else {
                throw site.refusal("it has too many channels")
            }
            let channels = (0..<count * square).map {
                operation.isColumnRowDepth ? $0 / square : $0 % count
            }
            try plan.pass(site.affine.selecting(channels), at: site)
        } else if let operation = site.node.operation as? SpaceToDepth {
            let inputCount = count / (operation.blockSize * operation.blockSize)
            guard inputCount > 0,
                let affine = site.affine.placed(
                    at: (0..<count).map { $0 % inputCount }, of: inputCount, axis: 1)
            else { throw site.refusal("the channels made of one channel differ") }
            try plan.pass(affine, at: site)
        }
    }
}
