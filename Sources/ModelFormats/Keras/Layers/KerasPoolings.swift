import Graph
import Tensors

/// Poolings. Averages do not count what "same" pads, as in Keras on TensorFlow and JAX.
enum KerasPoolings {
    /// `nil`: another family's layer.
    static func read(
        _ layer: KerasLayer, _ call: KerasCall, _ builder: inout KerasGraphBuilder
    ) throws(KerasRefusal) -> [KerasValue]? {
        switch layer.className {
        case "MaxPooling1D", "MaxPooling2D", "MaxPooling3D", "MaxPool1D", "MaxPool2D", "MaxPool3D":
            try pool("MaxPool", &builder, layer, call)
        case "AveragePooling1D", "AveragePooling2D", "AveragePooling3D", "AveragePool1D", "AveragePool2D",
            "AveragePool3D":
            try pool("AveragePool", &builder, layer, call)
        case "GlobalMaxPooling1D", "GlobalMaxPooling2D", "GlobalMaxPooling3D", "GlobalMaxPool1D",
            "GlobalMaxPool2D", "GlobalMaxPool3D":
            try global("Max", &builder, layer, call)
        case "GlobalAveragePooling1D", "GlobalAveragePooling2D", "GlobalAveragePooling3D",
            "GlobalAveragePool1D", "GlobalAveragePool2D", "GlobalAveragePool3D":
            try global("Average", &builder, layer, call)
        default: nil
        }
    }

    private static func pool(
        _ type: String, _ builder: inout KerasGraphBuilder, _ layer: KerasLayer, _ call: KerasCall
    ) throws(KerasRefusal) -> [KerasValue] {
        let input = try call.input
        let spatial = try builder.rank(input) - 2
        guard spatial >= 1 else { throw KerasRefusal("its input has no spatial axes") }
        let size = try layer.integers("pool_size", count: spatial)
        let window = try KerasWindow(
            layer, kernel: size, strides: try layer.integers("strides", count: spatial, default: size),
            dilations: [Int](repeating: 1, count: spatial))
        let isFirst = layer.hasChannelsFirst
        let attributes = try window.attributes(input, &builder, isFirst)
        let x = isFirst ? try builder.own(input) : try builder.channelsFirst(input)
        return [KerasValue(name: try builder.add(type, [x], attributes), isMoved: !isFirst)]
    }

    /// Over all spatial axes. A sequence, whose channels are last, is reduced where it is.
    private static func global(
        _ name: String, _ builder: inout KerasGraphBuilder, _ layer: KerasLayer, _ call: KerasCall
    ) throws(KerasRefusal) -> [KerasValue] {
        let input = try call.input
        let rank = try builder.rank(input)
        guard rank >= 3 else { throw KerasRefusal("its input has no spatial axes") }
        let keepsAxes = layer.flag("keepdims", default: false)
        if input.isMoved || layer.hasChannelsFirst {
            let x = layer.hasChannelsFirst ? try builder.own(input) : input.name
            let pooled = try builder.add("Global\(name)Pool", [x])
            if keepsAxes { return [KerasValue(name: pooled, isMoved: !layer.hasChannelsFirst)] }
            return [KerasValue(name: try builder.add("Flatten", [pooled], ["axis": .integer(1)]))]
        }
        let axes = builder.integers(Array(1..<rank - 1), "axes")
        return [
            KerasValue(
                name: try builder.add(
                    name == "Max" ? "ReduceMax" : "ReduceMean", [input.name, axes],
                    ["keepdims": .integer(keepsAxes ? 1 : 0)]))
        ]
    }
}
