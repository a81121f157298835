import Graph
import Tensors

/// Layers around another layer.
enum KerasWrappers {
    /// `nil`: another family's layer.
    static func read(
        _ layer: KerasLayer, _ call: KerasCall, _ builder: inout KerasGraphBuilder
    ) throws(KerasRefusal) -> [KerasValue]? {
        switch layer.className {
        // Weights are normalized in training alone.
        case "SpectralNormalization": try KerasLayerCatalog.read(try inner(layer), call, into: &builder)
        case "TimeDistributed": try timeDistributed(&builder, layer, call)
        default: nil
        }
    }

    /// How many wrappers may be around one another.
    private static let maximumDepth = 8

    private static func inner(_ layer: KerasLayer) throws(KerasRefusal) -> KerasLayer {
        guard let json = layer.config["layer"] else { throw KerasRefusal("it has no layer") }
        let stated = try KerasLayer.Stated(json)
        guard layer.depth < maximumDepth else {
            throw KerasRefusal("more than \(maximumDepth) layers are around one another")
        }
        return KerasLayer(
            stated: stated, weights: layer.weights.child("layer", stated.name),
            path: layer.path + "/" + stated.name, isKeras2: layer.isKeras2, depth: layer.depth + 1)
    }

    /// The inner layer for each step: the steps become a part of the batch, but for Dense, which does not see them.
    private static func timeDistributed(
        _ builder: inout KerasGraphBuilder, _ layer: KerasLayer, _ call: KerasCall
    ) throws(KerasRefusal) -> [KerasValue] {
        let value = try call.input
        let inner = try inner(layer)
        if ["Dense", "Activation", "ReLU", "LeakyReLU", "Dropout", "Rescaling"].contains(inner.className) {
            return try KerasLayerCatalog.read(inner, call, into: &builder)
        }
        let dimensions = try builder.dimensions(value).map { $0.value ?? -1 }
        guard dimensions.count > 2, !dimensions.dropFirst().contains(-1) else {
            throw KerasRefusal("its input has extents that are not stated")
        }
        let merged = builder.integers([-1] + dimensions.dropFirst(2), "merged")
        let steps = KerasValue(name: try builder.add("Reshape", [try builder.own(value), merged]))
        let outputs = try KerasLayerCatalog.read(inner, KerasCall(steps), into: &builder)
        guard let output = outputs.first, outputs.count == 1 else {
            throw KerasRefusal("its layer has several outputs")
        }
        let results = try builder.dimensions(output).dropFirst().map { $0.value ?? -1 }
        guard !results.contains(-1) else { throw KerasRefusal("its output has extents that are not known") }
        builder.layer = layer.path
        let shape = builder.integers([-1, dimensions[1]] + results, "split")
        return [KerasValue(name: try builder.add("Reshape", [try builder.own(output), shape]))]
    }
}
