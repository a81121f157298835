import Graph
import Tensors

/// Normalizations by moments of the value itself: their scale and bias are an affine behind them.
///
///     LayerNormalization, RMSNormalization          of the axes from `axis` on
///     InstanceNormalization, GroupNormalization     of channels
///
/// Source: ONNX LayerNormalization-17, RMSNormalization-23, InstanceNormalization-22, GroupNormalization-21.
struct NormalizationForms: FormRule {
    func form(_ site: FormSite) throws(Obstacle) -> Form? {
        guard let form = site.form(0), let rank = site.rank, rank >= 2, site.output == 0,
            site.node.outputs.count == 1,
            site.isAbsent(2) || site.constant(2) != nil, let scale = site.constant(1)
        else { return nil }
        let fields: (scale: Field?, shift: Field?)
        switch site.node.operation {
        case is LayerNormalization, is RMSNormalization:
            fields = (Field(scale, rank: rank), site.constant(2).flatMap { Field($0, rank: rank) })
        case let group as GroupNormalization:
            guard let channels = site.extents?[1], group.groupCount > 0, channels <= Field.maximumCount else {
                return nil
            }
            let repeats = group.isPerChannel ? 1 : channels / group.groupCount
            fields = Self.channels(scale, site.constant(2), rank, repeats: repeats)
        case is InstanceNormalization: fields = Self.channels(scale, site.constant(2), rank)
        default: return nil
        }
        guard let scale = fields.scale, site.isAbsent(2) || fields.shift != nil else { return nil }
        let core = try site.applied([.form(form)])
        return Form(core, scale: scale, shift: fields.shift)
    }

    /// Before opset 21 a GroupNormalization has one number for the channels of a group.
    private static func channels(
        _ scale: Tensor, _ shift: Tensor?, _ rank: Int, repeats: Int = 1
    ) -> (Field?, Field?) {
        func field(_ tensor: Tensor) -> Field? {
            guard tensor.shape.rank == 1, rank >= 2 else { return nil }
            return Field(tensor, rank: 1).map { field in
                let balls = field.balls.flatMap { [Ball](repeating: $0, count: repeats) }
                return Field(balls, axis: 1, rank: rank)
            }
        }
        return (field(scale), shift.flatMap(field))
    }
}
