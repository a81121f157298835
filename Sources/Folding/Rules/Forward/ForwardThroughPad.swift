import Graph
import Tensors

/// Pad along axes that are not the channels', or of channels with a constant.
///
///     pad(ax + b, v) = a·pad(x, (v − b)/a) + b
///
/// The new pad must be one number for all channels; it is rounded once. Reflected, edge and wrapped pads are elements
/// themselves: they need nothing. Channels that are added have the scale 1 and the shift 0.
/// Refuses: pads of the channels' own axis together with others, or that take channels away; pads that are not constant;
/// a constant that is different from channel to channel or beyond the element type's range.
/// Source: ONNX Pad-25.
struct ForwardThroughPad: ForwardPassage {
    func matches(_ node: Node) -> Bool { node.operation is Pad }

    func pass(_ site: ForwardSite, _ plan: inout ForwardPlan) throws(FoldRefusal) -> ForwardPassing {
        let affine = try site.onlyFirst().affine
        let node = site.node
        let infos = node.inputs.map { $0.flatMap { site.context.values[$0] } }
        let dimensions = try site.inputDimensions()
        guard let pad = node.operation as? Pad,
            let pads = (try? pad.pads(infos, rank: dimensions.count)) ?? nil
        else { throw FoldRefusal("its pads are not constant") }
        guard pads[affine.axis] == (0, 0) else {
            let others = pads.indices.filter { $0 != affine.axis && pads[$0] != (0, 0) }
            guard pad.mode == .constant, others.isEmpty, let wider = affine.widened(by: pads[affine.axis])
            else { throw FoldRefusal("it pads axis \(affine.axis), which is the channels'") }
            return ForwardPassing(node: site.rewired, outputs: [wider])
        }
        var replacement = site.rewired
        let type = infos[0]?.elementType ?? .float32
        if pad.mode == .constant, pads.contains(where: { $0.begin > 0 || $0.end > 0 }) {
            guard let stated = Self.fill(node, in: site.context) else {
                throw FoldRefusal("its constant is not known")
            }
            guard let value = affine.preimage(of: stated, type: type) else {
                throw FoldRefusal("no one \(type) before the affine is its \(stated) in every channel")
            }
            if value != stated {
                replacement = try Self.filling(replacement, with: value, type: type, &plan)
            }
        }
        return ForwardPassing(node: replacement, outputs: [affine])
    }

    private static func fill(_ node: Node, in context: FoldContext) -> Double? {
        if node.opset < 11 { return Double(node.realAttribute("value", default: 0)) }
        guard let name = node.input(2) else { return 0 }
        return context.graph.fixedConstant(name)?.reals.first
    }

    private static func filling(
        _ node: Node, with value: Double, type: ElementType, _ plan: inout ForwardPlan
    ) throws(FoldRefusal) -> Node {
        if node.opset < 11 {
            guard Double(Float(value)) == value else { throw FoldRefusal("its constant is no float") }
            var attributes = node.attributes
            attributes["value"] = .real(Float(value))
            return try Node.made(
                name: node.name, domain: node.domain, type: node.type, attributes: attributes,
                opset: node.opset, inputs: node.inputs, outputs: node.outputs)
        }
        let constant = ExactTensor(reals: [value], shape: .scalar, elementType: type).tensor
        var result = node
        if result.inputs.count < 3 { result.inputs.append(nil) }
        result.inputs[2] = plan.constant(node.name + "_pad_value", constant)
        return result
    }
}

extension Affine {
    /// With channels in front and behind that it leaves alone; `nil` for fewer than none, and for too many.
    fileprivate func widened(by pad: (begin: Int, end: Int)) -> Affine? {
        let limit = RecogniseChannelArithmetic.maximumChannelCount
        guard (0...limit).contains(pad.begin), (0...limit).contains(pad.end) else { return nil }
        func wider(_ values: [Double], _ neutral: Double) -> [Double] {
            [Double](repeating: neutral, count: pad.begin) + values
                + [Double](repeating: neutral, count: pad.end)
        }
        return Affine(scale: wider(scale, 1), shift: wider(shift, 0), axis: axis)
    }
}
