import Graph
import Tensors

/// Padding, cropping and upsampling along the spatial axes.
enum KerasPaddings {
    /// `nil`: another family's layer.
    static func read(
        _ layer: KerasLayer, _ call: KerasCall, _ builder: inout KerasGraphBuilder
    ) throws(KerasRefusal) -> [KerasValue]? {
        switch layer.className {
        case "ZeroPadding1D", "ZeroPadding2D", "ZeroPadding3D": try padding(&builder, layer, call)
        case "Cropping1D", "Cropping2D", "Cropping3D": try cropping(&builder, layer, call)
        case "UpSampling1D", "UpSampling2D", "UpSampling3D": try upsampling(&builder, layer, call)
        default: nil
        }
    }

    /// The spatial axes of the value in the graph.
    private static func spatialAxes(
        _ value: KerasValue, _ layer: KerasLayer, _ builder: KerasGraphBuilder
    ) throws(KerasRefusal) -> Range<Int> {
        let rank = try builder.rank(value)
        guard rank >= 3 else { throw KerasRefusal("its input has no spatial axes") }
        return value.isMoved || layer.hasChannelsFirst ? 2..<rank : 1..<rank - 1
    }

    /// The value where the layer finds its axes.
    private static func placed(
        _ value: KerasValue, _ layer: KerasLayer, _ builder: inout KerasGraphBuilder
    ) throws(KerasRefusal) -> KerasValue {
        layer.hasChannelsFirst ? KerasValue(name: try builder.own(value)) : value
    }

    private static func padding(
        _ builder: inout KerasGraphBuilder, _ layer: KerasLayer, _ call: KerasCall
    ) throws(KerasRefusal) -> [KerasValue] {
        let value = try placed(try call.input, layer, &builder)
        let rank = try builder.rank(value)
        let axes = try spatialAxes(value, layer, builder)
        let pairs = try layer.pairs("padding", count: axes.count)
        var pads = [Int](repeating: 0, count: 2 * rank)
        for (axis, pair) in zip(axes, pairs) { (pads[axis], pads[rank + axis]) = (pair.begin, pair.end) }
        let name = try builder.add("Pad", [value.name, builder.integers(pads, "pads")])
        return [KerasValue(name: name, isMoved: value.isMoved)]
    }

    private static func cropping(
        _ builder: inout KerasGraphBuilder, _ layer: KerasLayer, _ call: KerasCall
    ) throws(KerasRefusal) -> [KerasValue] {
        let value = try placed(try call.input, layer, &builder)
        let axes = try spatialAxes(value, layer, builder)
        let pairs = try layer.pairs("cropping", count: axes.count)
        let starts = builder.integers(pairs.map(\.begin), "starts")
        let ends = builder.integers(pairs.map { $0.end == 0 ? Int.max : -$0.end }, "ends")
        let name = try builder.add(
            "Slice", [value.name, starts, ends, builder.integers(Array(axes), "axes")])
        return [KerasValue(name: name, isMoved: value.isMoved)]
    }

    private static func upsampling(
        _ builder: inout KerasGraphBuilder, _ layer: KerasLayer, _ call: KerasCall
    ) throws(KerasRefusal) -> [KerasValue] {
        let value = try call.input
        let spatial = try builder.rank(value) - 2
        guard spatial >= 1 else { throw KerasRefusal("its input has no spatial axes") }
        let isFirst = layer.hasChannelsFirst
        let factors = try layer.integers("size", count: spatial)
        let mode = layer.text("interpolation", default: "nearest")
        var attributes: [String: Attribute]
        switch mode {
        case "nearest":
            attributes = [
                "mode": .string("nearest"), "coordinate_transformation_mode": .string("asymmetric"),
                "nearest_mode": .string("floor"),
            ]
        case "bilinear" where !layer.isKeras2 || !isFirst:
            attributes = ["mode": .string("linear"), "coordinate_transformation_mode": .string("half_pixel")]
        default: throw KerasRefusal("its interpolation '\(mode)' is not supported")
        }
        let x = isFirst ? try builder.own(value) : try builder.channelsFirst(value)
        let scales = try KerasGraphBuilder.tensor([1, 1] + factors.map { Float($0) }, [spatial + 2])
        let name = try builder.add("Resize", [x, nil, builder.constant(scales, "scales")], attributes)
        return [KerasValue(name: name, isMoved: !isFirst)]
    }
}
