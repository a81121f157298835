import Graph
import Tensors

/// Convolutions: kernels become channels-first, and pads are written out where they do not depend on the extents.
enum KerasConvolutions {
    /// `nil`: another family's layer.
    static func read(
        _ layer: KerasLayer, _ call: KerasCall, _ builder: inout KerasGraphBuilder
    ) throws(KerasRefusal) -> [KerasValue]? {
        switch layer.className {
        case "Conv1D", "Conv2D", "Conv3D", "Convolution1D", "Convolution2D", "Convolution3D":
            try convolution(&builder, layer, call)
        case "DepthwiseConv1D", "DepthwiseConv2D": try depthwise(&builder, layer, call)
        case "SeparableConv1D", "SeparableConv2D", "SeparableConvolution1D", "SeparableConvolution2D":
            try separable(&builder, layer, call)
        case "Conv1DTranspose", "Conv2DTranspose", "Conv3DTranspose", "Convolution2DTranspose",
            "Convolution3DTranspose":
            try transposed(&builder, layer, call)
        default: nil
        }
    }

    /// The kernel [k…, C/groups, O] becomes [O, C/groups, k…].
    private static func convolution(
        _ builder: inout KerasGraphBuilder, _ layer: KerasLayer, _ call: KerasCall
    ) throws(KerasRefusal) -> [KerasValue] {
        let input = try call.input
        let spatial = try builder.rank(input) - 2
        guard spatial >= 1 else { throw KerasRefusal("its input has no spatial axes") }
        let kernel = try layer.weights.tensor(0, "kernel", rank: spatial + 2)
        let weight = try kernel.permuted([spatial + 1, spatial] + Array(0..<spatial))
        var parts: [String?] = [builder.constant(weight, "kernel")]
        if layer.flag("use_bias", default: true) {
            parts.append(builder.constant(try layer.weights.tensor(1, "bias", rank: 1), "bias"))
        }
        let groups = try layer.integer("groups", default: 1)
        let result = try convolve(&builder, layer, input, kernel: kernel, parts, groups: groups)
        return [try KerasActivations.apply(layer, result, &builder)]
    }

    /// The kernel [k…, C, multiplier] becomes [C·multiplier, 1, k…].
    private static func depthwise(
        _ builder: inout KerasGraphBuilder, _ layer: KerasLayer, _ call: KerasCall
    ) throws(KerasRefusal) -> [KerasValue] {
        let input = try call.input
        let kernel = try layer.weights.tensor(0, kernelName(layer), rank: try builder.rank(input))
        var parts: [String?] = [builder.constant(try depthwiseWeight(kernel), "kernel")]
        if layer.flag("use_bias", default: true) {
            parts.append(builder.constant(try layer.weights.tensor(1, "bias", rank: 1), "bias"))
        }
        let groups = kernel.shape[kernel.shape.rank - 2]
        let result = try convolve(&builder, layer, input, kernel: kernel, parts, groups: groups)
        return [try KerasActivations.apply(layer, result, &builder)]
    }

    /// Keras 2 calls it otherwise.
    private static func kernelName(_ layer: KerasLayer) -> String {
        layer.isKeras2 ? "depthwise_kernel" : "kernel"
    }

    private static func depthwiseWeight(_ kernel: Tensor) throws(KerasRefusal) -> Tensor {
        let spatial = kernel.shape.rank - 2
        guard spatial >= 1 else { throw KerasRefusal("its kernel has the shape \(kernel.shape)") }
        let weight = try kernel.permuted([spatial, spatial + 1] + Array(0..<spatial))
        return try weight.withShape(
            [kernel.shape[spatial] * kernel.shape[spatial + 1], 1] + kernel.shape.dimensions.prefix(spatial))
    }

    /// A depthwise convolution, then one of 1×1.
    private static func separable(
        _ builder: inout KerasGraphBuilder, _ layer: KerasLayer, _ call: KerasCall
    ) throws(KerasRefusal) -> [KerasValue] {
        let input = try call.input
        let rank = try builder.rank(input)
        let kernel = try layer.weights.tensor(0, "depthwise_kernel", rank: rank)
        let middle = try convolve(
            &builder, layer, input, kernel: kernel,
            [builder.constant(try depthwiseWeight(kernel), "depthwise_kernel")],
            groups: kernel.shape[rank - 2])
        let pointwise = try layer.weights.tensor(1, "pointwise_kernel", rank: rank)
            .permuted([rank - 1, rank - 2] + Array(0..<rank - 2))
        var parts: [String?] = [middle.name, builder.constant(pointwise, "pointwise_kernel")]
        if layer.flag("use_bias", default: true) {
            parts.append(builder.constant(try layer.weights.tensor(2, "bias", rank: 1), "bias"))
        }
        let result = KerasValue(name: try builder.add("Conv", parts), isMoved: middle.isMoved)
        return [try KerasActivations.apply(layer, result, &builder)]
    }

    private static func convolve(
        _ builder: inout KerasGraphBuilder, _ layer: KerasLayer, _ input: KerasValue, kernel: Tensor,
        _ parameters: [String?], groups: Int
    ) throws(KerasRefusal) -> KerasValue {
        let spatial = kernel.shape.rank - 2
        let window = try KerasWindow(
            layer, kernel: Array(kernel.shape.dimensions.prefix(spatial)),
            strides: try layer.integers(
                "strides", count: spatial, default: [Int](repeating: 1, count: spatial)),
            dilations: try layer.integers(
                "dilation_rate", count: spatial, default: [Int](repeating: 1, count: spatial)))
        let isFirst = layer.hasChannelsFirst
        var attributes = try window.attributes(input, &builder, isFirst)
        attributes["group"] = .integer(Int64(groups))
        let x = isFirst ? try builder.own(input) : try builder.channelsFirst(input)
        return KerasValue(name: try builder.add("Conv", [x] + parameters, attributes), isMoved: !isFirst)
    }

    /// The kernel [k…, O, C] becomes [C, O, k…]. What the transposed convolution makes in full, (D − 1)·stride + extent,
    /// is cropped at both ends, or extended at the far one.
    private static func transposed(
        _ builder: inout KerasGraphBuilder, _ layer: KerasLayer, _ call: KerasCall
    ) throws(KerasRefusal) -> [KerasValue] {
        let input = try call.input
        let spatial = try builder.rank(input) - 2
        guard spatial >= 1 else { throw KerasRefusal("its input has no spatial axes") }
        let kernel = try layer.weights.tensor(0, "kernel", rank: spatial + 2)
        let ones = [Int](repeating: 1, count: spatial)
        let strides = try layer.integers("strides", count: spatial, default: ones)
        let dilations = try layer.integers("dilation_rate", count: spatial, default: ones)
        var extensions: [Int]?
        if layer.config["output_padding"] != nil {
            extensions = try layer.integers("output_padding", count: spatial, minimum: 0)
        }
        let isSame = layer.text("padding", default: "valid") == "same"
        var pads = [Int](repeating: 0, count: 2 * spatial)
        var outputPadding = [Int](repeating: 0, count: spatial)
        for axis in 0..<spatial {
            let extent = (kernel.shape[axis] - 1) * dilations[axis] + 1
            var (begin, end) = (0, 0)
            if isSame {
                let total =
                    extensions.map { extent + extent % 2 - 2 + $0[axis] } ?? (strides[axis] + extent - 2)
                let before = min(total / 2 + total % 2, extent - 1)
                (begin, end) = (extent - 1 - before, extent - 1 - (total - before))
            } else {
                end = -(extensions?[axis] ?? max(0, strides[axis] - extent))
            }
            guard begin >= 0 else { throw KerasRefusal("its output_padding is not supported") }
            (pads[axis], pads[spatial + axis]) = (begin, max(0, end))
            outputPadding[axis] = max(0, -end)
        }
        let weight = try kernel.permuted([spatial + 1, spatial] + Array(0..<spatial))
        let isFirst = layer.hasChannelsFirst
        var parts: [String?] = [isFirst ? try builder.own(input) : try builder.channelsFirst(input)]
        parts.append(builder.constant(weight, "kernel"))
        if layer.flag("use_bias", default: true) {
            parts.append(builder.constant(try layer.weights.tensor(1, "bias", rank: 1), "bias"))
        }
        var attributes: [String: Attribute] = [
            "strides": .integers(strides.map(Int64.init)), "dilations": .integers(dilations.map(Int64.init)),
            "pads": .integers(pads.map(Int64.init)),
        ]
        if outputPadding.contains(where: { $0 > 0 }) {
            attributes["output_padding"] = .integers(outputPadding.map(Int64.init))
        }
        let result = KerasValue(
            name: try builder.add("ConvTranspose", parts, attributes), isMoved: !isFirst)
        return [try KerasActivations.apply(layer, result, &builder)]
    }
}
