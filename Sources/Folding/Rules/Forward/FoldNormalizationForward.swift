import Graph
import Tensors

/// Folds the scale and bias of a normalization by moments of the run into what follows it, which leaves it 1 and 0.
///
///     γ⊙n(x) + β, then f  =  n(x), then f′      f′ takes the affine γ, β as `FoldForward` has it
///
/// Only when every consumer takes it and none needs a node more: the normalization itself stays, so an affine of its own
/// behind it would be one step more. Nothing is recognised otherwise.
///
/// Shapes: γ, β [C] on axis 1 for InstanceNormalization and GroupNormalization (before opset 21 one for each group, of
/// which C must then be known); for LayerNormalization and RMSNormalization along one axis of x.
/// Does not match: γ and β that are 1 and 0, that are not constant or that a caller may override, that differ along more
/// axes than one. Refuses: what stands in the way of the consumers' taking it.
/// Source: ONNX LayerNormalization-17, RMSNormalization-23, GroupNormalization-21, InstanceNormalization-22.
struct FoldNormalizationForward: FoldRule {
    let name = "normalization-forward"
    let isForward = true

    func proposal(at node: Node, in context: FoldContext) throws(FoldRefusal) -> FoldProposal? {
        guard let input = node.input(0), let output = node.outputs.first ?? nil,
            let affine = Self.affine(of: node, in: context), affine.hasScale || affine.hasShift
        else { return nil }
        let normalized = context.unusedValueName(output + "_before_affine")
        var plan = try ForwardPlan(
            from: output, to: normalized, affine: affine, mayAddNodes: false, in: context)
        guard !plan.absorbers.isEmpty else { return nil }
        var replacement = node
        replacement.outputs[0] = normalized
        // Without a bias LayerNormalization has a pass less; the others require one.
        if node.operation is LayerNormalization { replacement.inputs = Array(replacement.inputs.prefix(2)) }
        for (position, neutral) in [(1, 1.0), (2, 0.0)] where position < replacement.inputs.count {
            guard let name = node.input(position), let old = context.graph.fixedConstant(name) else {
                continue
            }
            let values = [Double](repeating: neutral, count: old.shape.count)
            replacement.inputs[position] = plan.constant(
                node.name + (position == 1 ? "_scale" : "_shift"),
                ExactTensor(reals: values, shape: old.shape, elementType: old.elementType).tensor)
        }
        plan.replace(node, with: replacement)
        var absorption = plan.absorption(of: affine, input: input, output: output, rule: name)
        absorption.remainder = ChannelArithmetic(name: node.name, operation: node.type, scalesChannels: true)
        return FoldProposal(edit: plan.edit, effect: .absorbed(absorption))
    }

    private static func affine(of node: Node, in context: FoldContext) -> Affine? {
        guard let dimensions = node.input(0).flatMap({ context.values[$0]?.dimensions }),
            let scale = parameter(1, of: node, in: context)
        else { return nil }
        let shift = parameter(2, of: node, in: context)
        guard node.input(2) == nil || shift != nil else { return nil }
        switch node.operation {
        case is InstanceNormalization:
            return perChannel(scale.reals, shift?.reals, repeating: 1)
        case let operation as GroupNormalization:
            guard !operation.isPerChannel else { return perChannel(scale.reals, shift?.reals, repeating: 1) }
            guard dimensions.count > 1, let channels = dimensions[1].value,
                (1...FoldNormalizationForward.maximumChannelCount).contains(channels)
            else { return nil }
            return perChannel(scale.reals, shift?.reals, repeating: channels / operation.groupCount)
        case is LayerNormalization, is RMSNormalization:
            return alongOneAxis(scale, shift, of: dimensions)
        default: return nil
        }
    }

    /// The most channels that the parameters of groups are spread over.
    private static let maximumChannelCount = 1 << 20

    private static func parameter(_ position: Int, of node: Node, in context: FoldContext) -> Tensor? {
        guard let tensor = context.graph.fixedConstant(node.input(position)),
            tensor.elementType.isFloatingPoint, tensor.shape.count > 0
        else { return nil }
        return tensor
    }

    private static func perChannel(_ scale: [Double], _ shift: [Double]?, repeating count: Int) -> Affine? {
        let shift = shift ?? [Double](repeating: 0, count: scale.count)
        guard shift.count == scale.count, count > 0, (scale + shift).allSatisfy(\.isFinite) else {
            return nil
        }
        return Affine(
            scale: scale.flatMap { [Double](repeating: $0, count: count) },
            shift: shift.flatMap { [Double](repeating: $0, count: count) }, axis: 1)
    }

    private static func alongOneAxis(_ scale: Tensor, _ shift: Tensor?, of dimensions: [Dimension]) -> Affine?
    {
        var found: (axis: Int, count: Int)?
        for shape in [scale.shape, shift?.shape ?? .scalar] {
            let offset = dimensions.count - shape.rank
            guard offset >= 0 else { return nil }
            for (position, extent) in shape.dimensions.enumerated() where extent != 1 {
                guard found == nil || found?.axis == offset + position else { return nil }
                found = (offset + position, extent)
            }
        }
        let (axis, count) = found ?? (dimensions.count - 1, 1)
        guard dimensions.indices.contains(axis) else { return nil }
        func spread(_ tensor: Tensor?) -> [Double] {
            let values = tensor?.reals ?? [0]
            return values.count == count ? values : [Double](repeating: values[0], count: count)
        }
        let (scales, shifts) = (spread(scale), spread(shift))
        guard dimensions[axis] == .known(count), (scales + shifts).allSatisfy(\.isFinite) else { return nil }
        return Affine(scale: scales, shift: shifts, axis: axis)
    }
}
