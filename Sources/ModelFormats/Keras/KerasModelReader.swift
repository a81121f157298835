import Graph

/// Makes a graph of a model's configuration and its weights: a Sequential, or a Functional and the models inside it.
struct KerasModelReader {
    private let isKeras2: Bool
    private var builder = KerasGraphBuilder()
    private var layerCount = 0

    /// A model's outputs, by the names that Keras gives them.
    private typealias Outputs = [(name: String, value: KerasValue)]

    init(isKeras2: Bool) { self.isKeras2 = isKeras2 }

    static func graph(
        of model: JSON, weights: KerasWeights, isKeras2: Bool
    ) throws(KerasRefusal) -> Graph {
        var reader = KerasModelReader(isKeras2: isKeras2)
        let className = model["class_name"]?.string ?? "nothing"
        guard KerasLayer.Stated.modelClasses.contains(className), !KerasConfiguration.isSubclass(model) else {
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
        // In Keras 2 a call's own word stands; Keras 3 has predict overrule it.
        guard !isKeras2 || call.keywords["training"] != .boolean(true) else {
            throw KerasRefusal(
                "it is called with training=True: its answers would depend on chance or the batch"
            ).at(layer.path, layer.className)
        }
        guard layer.stated.isModel else {
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
        let wanted = try KerasReference.list(config["output_layers"] ?? .null)
        let order = try order(layers, outputs: wanted.map(\.reference))
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
        for (key, reference) in wanted {
            outputs.append((key ?? reference.call.layer, try reference.value(values)))
        }
        return outputs
    }

    /// A model may count its own making as its first call; only the others are stated, and each of them is used.
    private func order(
        _ layers: [KerasLayer], outputs: [KerasReference]
    ) throws(KerasRefusal) -> KerasCallOrder {
        var calls: [[KerasCallReader]] = []
        var last: [String: Int] = [:]
        for reference in outputs {
            last[reference.call.layer] = max(reference.call.node, last[reference.call.layer] ?? 0)
        }
        for layer in layers {
            var own: [KerasCallReader] = []
            for json in layer.className == "InputLayer" ? [] : layer.stated.calls {
                do throws(KerasRefusal) {
                    own.append(
                        try layer.className == KerasOperations.tensorFlowFunction
                            ? KerasCallReader.readFunction(json) : KerasCallReader.read(json))
                } catch {
                    throw error.at(layer.path, layer.className)
                }
            }
            for reference in own.flatMap(\.references) {
                last[reference.call.layer] = max(reference.call.node, last[reference.call.layer] ?? 0)
            }
            calls.append(own)
        }
        var order = KerasCallOrder()
        for (index, layer) in layers.enumerated() {
            let name = layer.stated.name
            let first = layer.stated.isModel && last[name] == calls[index].count ? 1 : 0
            for (node, call) in calls[index].enumerated() {
                try order.add(.init(layer: name, node: first + node), layer: index, call)
            }
        }
        return order
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
