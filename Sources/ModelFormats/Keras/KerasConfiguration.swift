import Graph
import Tensors

/// What several layers' configurations state in one form.
enum KerasConfiguration {
    /// Functional has a list of layers; a class of one's own that derives from it may not.
    static func isSubclass(_ model: JSON) -> Bool {
        let config = model["config"]
        return config?.array == nil && config?["layers"]?.array == nil
    }

    /// The input's shape, which Keras 2 calls otherwise.
    static func shape(_ config: JSON) -> JSON? { config["batch_shape"] ?? config["batch_input_shape"] }

    static func requireDense(_ config: JSON) throws(KerasRefusal) {
        guard config["sparse"]?.boolean != true, config["ragged"]?.boolean != true else {
            throw KerasRefusal("sparse and ragged inputs are not supported")
        }
    }

    /// An extent that is not stated is a name of its own; the batch is shared by all inputs.
    static func info(_ name: String, _ config: JSON, _ shape: JSON?) throws(KerasRefusal) -> ValueInfo {
        guard let extents = shape?.array, (1...KerasLimits.maximumRank).contains(extents.count) else {
            throw KerasRefusal("the shape of the input is not stated")
        }
        var dimensions: [Dimension] = []
        for (axis, extent) in extents.enumerated() {
            if let extent = extent.integer, (1...KerasLimits.maximumExtent).contains(extent) {
                dimensions.append(.known(extent))
            } else if extent == .null {
                dimensions.append(.symbol(axis == 0 ? "batch" : "\(name)_\(axis)"))
            } else {
                throw KerasRefusal("the shape of the input is not usable")
            }
        }
        let stated = config["dtype"]?.string ?? config["dtype"]?["config"]?["name"]?.string ?? "float32"
        guard let type = ElementType(rawValue: stated) else {
            throw KerasRefusal("inputs of type \(stated) are not supported")
        }
        return ValueInfo(type, dimensions)
    }
}
