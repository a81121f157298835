import Graph
import Tensors

/// Makes a graph of a model's configuration and its weights: a Sequential, or a Functional and the models inside it.
struct KerasModelReader {
    private let isKeras2: Bool
    private var builder = KerasGraphBuilder()
    private var layerCount = 0

    private static let modelClasses: Set = ["Functional", "Sequential", "Model"]

    /// A model's outputs, by the names that Keras gives them.
    private typealias Outputs = [(name: String, value: KerasValue)]

    init(isKeras2: Bool) { self.isKeras2 = isKeras2 }

    static func graph(
        of model: JSON, weights: KerasWeights, isKeras2: Bool
    ) throws(KerasRefusal) -> Graph {
        var reader = KerasModelReader(isKeras2: isKeras2)
        let className = model["class_name"]?.string ?? "nothing"
        guard modelClasses.contains(className), !KerasConfiguration.isSubclass(model) else {
            throw KerasRefusal(
                "the model is a \(className), expected a Sequential or Functional model; "
                    + "a model of one's own class has no graph in the file")
        }
        let outputs = try reader.read(model, weights, inputs: nil, path: "", depth: 0)
        guard !outputs.isEmpty else { throw KerasRefusal("the model has no outputs") }
        let name = model["config"]?["name"]?.string ?? "model"
        return try reader.builder.graph(name: name, outputs: outputs)
    }

    /// `inputs`: what an inner model is called with; `nil` for the outermost.
    private mutating func read(
        _ model: JSON, _ weights: KerasWeights, inputs: [KerasValue]?, path: String, depth: Int
    ) throws(KerasRefusal) -> Outputs {
        guard depth <= KerasLimits.maximumModelDepth else {
            throw KerasRefusal("more than \(KerasLimits.maximumModelDepth) models are inside one another")
        }
        let config = model["config"] ?? .null
        var stated: [KerasLayer.Stated] = []
        for layer in config.array ?? config["layers"]?.array ?? [] {
            stated.append(try KerasLayer.Stated(layer))
        }
        layerCount += stated.count
        guard layerCount <= KerasLimits.maximumLayerCount else {
            throw KerasRefusal("the model has more than \(KerasLimits.maximumLayerCount) layers")
        }
        let children: [KerasWeights]
        do {
            children = try weights.children(stated, isInner: depth > 0)
        } catch {
            throw KerasRefusal(error)
        }
        let layers = zip(stated, children).map { stated, weights in
            KerasLayer(
                stated: stated, weights: weights, path: path.isEmpty ? stated.name : path + "/" + stated.name,
                isKeras2: isKeras2)
        }
        return model["class_name"]?.string == "Sequential"
            ? try sequential(config, layers, inputs, depth) : try functional(config, layers, inputs, depth)
    }

    private mutating func apply(
        _ layer: KerasLayer, _ call: KerasCall, depth: Int
    ) throws(KerasRefusal) -> [KerasValue] {
        guard Self.modelClasses.contains(layer.className) else {
            return try KerasLayerCatalog.read(layer, call, into: &builder)
        }
        let model = JSON.object(["class_name": .string(layer.className), "config": layer.config])
        let outputs = try read(model, layer.weights, inputs: call.inputs, path: layer.path, depth: depth + 1)
        return outputs.map(\.value)
    }

    // MARK: - Sequential

    private mutating func sequential(
        _ config: JSON, _ layers: [KerasLayer], _ inputs: [KerasValue]?, _ depth: Int
    ) throws(KerasRefusal) -> Outputs {
        guard let first = layers.first, let last = layers.last else {
            throw KerasRefusal("a Sequential has no layers")
        }
        var values = inputs ?? []
        if inputs == nil {
            let shape = KerasConfiguration.shape(first.config) ?? config["build_input_shape"]
            let isStated = first.className == "InputLayer"
            values = [
                try input(isStated ? first.stated.name : first.stated.name + "_input", first.config, shape)
            ]
        }
        for layer in layers where layer.className != "InputLayer" {
            guard values.count == 1 else {
                throw KerasRefusal("it is called with \(values.count) tensors, expected one")
                    .at(layer.path, layer.className)
            }
            values = try apply(layer, KerasCall(values[0]), depth: depth)
        }
        return values.map { (last.stated.name, $0) }
    }

    // MARK: - Functional

    private mutating func functional(
        _ config: JSON, _ layers: [KerasLayer], _ inputs: [KerasValue]?, _ depth: Int
    ) throws(KerasRefusal) -> Outputs {
        var values: [KerasReference.Call: [KerasValue]] = [:]
        let inputs = inputs ?? []
        let given = try KerasReference.list(config["input_layers"] ?? .null)
        guard depth == 0 || given.count == inputs.count else {
            throw KerasRefusal("a model with \(given.count) inputs is called with \(inputs.count) tensors")
        }
        for (reference, value) in zip(given, inputs) { values[reference.reference.call] = [value] }
        if depth == 0 {
            for layer in layers where layer.className == "InputLayer" {
                let call = KerasReference.Call(layer: layer.stated.name, node: 0)
                let shape = KerasConfiguration.shape(layer.config)
                values[call] = [try input(layer.stated.name, layer.config, shape)]
            }
        }
        var order = KerasCallOrder()
        for (index, layer) in layers.enumerated() where layer.className != "InputLayer" {
            for (node, json) in layer.stated.calls.enumerated() {
                do throws(KerasRefusal) {
                    let call = try KerasCallReader.read(json)
                    try order.add(.init(layer: layer.stated.name, node: node), layer: index, call)
                } catch {
                    throw error.at(layer.path, layer.className)
                }
            }
        }
        for step in order.sorted(given: Set(values.keys)) {
            let layer = layers[step.layer]
            do throws(KerasRefusal) {
                let call = try step.arguments.resolved(values)
                values[step.call] = try apply(layer, call, depth: depth)
            } catch {
                throw error.at(layer.path, layer.className)
            }
        }
        var outputs: Outputs = []
        for (key, reference) in try KerasReference.list(config["output_layers"] ?? .null) {
            outputs.append((key ?? reference.call.layer, try reference.value(values)))
        }
        return outputs
    }

    private mutating func input(
        _ name: String, _ config: JSON, _ shape: JSON?
    ) throws(KerasRefusal) -> KerasValue {
        do throws(KerasRefusal) {
            try KerasConfiguration.requireDense(config)
            return builder.addInput(name, try KerasConfiguration.info(name, config, shape))
        } catch {
            throw error.at(name, "InputLayer")
        }
    }
}

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
