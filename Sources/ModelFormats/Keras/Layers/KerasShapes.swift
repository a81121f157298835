import Graph
import Tensors

/// Layers that change the shape, or nothing at all at inference.
enum KerasShapes {
    /// `nil`: another family's layer.
    static func read(
        _ layer: KerasLayer, _ call: KerasCall, _ builder: inout KerasGraphBuilder
    ) throws(KerasRefusal) -> [KerasValue]? {
        switch layer.className {
        case "Flatten": try flatten(&builder, layer, call)
        case "Reshape": try reshape(&builder, layer, call)
        case "Permute": try permute(&builder, layer, call)
        case "RepeatVector": try repeated(&builder, layer, call)
        case "Dropout", "SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D", "GaussianDropout",
            "GaussianNoise", "AlphaDropout", "ActivityRegularization", "Identity", "StochasticDepth":
            [try call.input]
        default: nil
        }
    }

    /// In the order of channels last, whatever the layer's own.
    private static func flatten(
        _ builder: inout KerasGraphBuilder, _ layer: KerasLayer, _ call: KerasCall
    ) throws(KerasRefusal) -> [KerasValue] {
        let value = try call.input
        let dimensions = try builder.dimensions(value)
        var source = value.name
        // Without spatial extents there is one order.
        let spatial = dimensions.dropFirst().dropLast()
        if value.isMoved, !spatial.allSatisfy({ $0 == .known(1) }) { source = try builder.own(value) }
        if layer.hasChannelsFirst, dimensions.count > 2 {
            source = try builder.add(
                "Transpose", [try builder.own(value)],
                ["perm": .integers(([0] + Array(2..<dimensions.count) + [1]).map(Int64.init))])
        }
        return [KerasValue(name: try builder.add("Flatten", [source], ["axis": .integer(1)]))]
    }

    private static func reshape(
        _ builder: inout KerasGraphBuilder, _ layer: KerasLayer, _ call: KerasCall
    ) throws(KerasRefusal) -> [KerasValue] {
        guard let stated = layer.config["target_shape"]?.integers, stated.count < KerasLimits.maximumRank,
            stated.allSatisfy({ $0 >= -1 && $0 != 0 && $0 <= KerasLimits.maximumExtent }),
            stated.filter({ $0 == -1 }).count <= 1
        else { throw KerasRefusal("its target_shape is not supported") }
        // A 0 is the batch, which stays.
        let shape = builder.integers([0] + stated, "target_shape")
        return [KerasValue(name: try builder.add("Reshape", [try builder.own(try call.input), shape]))]
    }

    /// Its axes count from 1, behind the batch.
    private static func permute(
        _ builder: inout KerasGraphBuilder, _ layer: KerasLayer, _ call: KerasCall
    ) throws(KerasRefusal) -> [KerasValue] {
        let value = try call.input
        let rank = try builder.rank(value)
        let order = layer.config["dims"]?.integers ?? []
        guard order.sorted() == Array(1..<max(1, rank)) else { throw KerasRefusal("its dims are \(order)") }
        return [
            KerasValue(
                name: try builder.add(
                    "Transpose", [try builder.own(value)], ["perm": .integers(([0] + order).map(Int64.init))])
            )
        ]
    }

    private static func repeated(
        _ builder: inout KerasGraphBuilder, _ layer: KerasLayer, _ call: KerasCall
    ) throws(KerasRefusal) -> [KerasValue] {
        let value = try call.input
        guard try builder.rank(value) == 2 else { throw KerasRefusal("its input is no vector") }
        let count = try layer.integer("n")
        guard count >= 0 else { throw KerasRefusal("its n is \(count)") }
        let row = try builder.add("Unsqueeze", [value.name, builder.integers([1], "axes")])
        return [
            KerasValue(name: try builder.add("Tile", [row, builder.integers([1, count, 1], "repeats")]))
        ]
    }
}
