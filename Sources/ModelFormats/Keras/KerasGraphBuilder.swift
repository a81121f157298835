import Graph
import Tensors

/// A value of a Keras model.
///
/// Keras has channels last; ONNX's convolutions want them on axis 1. A value stays where the last layer left it, and is
/// moved when a layer needs it otherwise, so that a chain of convolutions has a transposition at each end alone.
struct KerasValue {
    /// Its name in the graph.
    let name: String
    /// Whether the last axis in Keras is axis 1 in the graph.
    var isMoved = false
}

/// Makes the graph, node by node; what follows of each node's output is known at once.
struct KerasGraphBuilder {
    /// GroupNormalization takes a scale for each channel since 21.
    static let opset = 21

    private(set) var inputs: [Graph.Port] = []
    private(set) var nodes: [Node] = []
    private(set) var constants: [String: Tensor] = [:]
    private var infos: [String: ValueInfo] = [:]
    private var valueNames = UniqueNames(stated: [])
    private var nodeNames = UniqueNames(stated: [])
    /// The same value with its channels elsewhere: by its name.
    private var moved: [String: String] = [:]
    /// The layer that is read now: names begin with it.
    var layer = ""

    mutating func addInput(_ name: String, _ info: ValueInfo) -> KerasValue {
        let name = valueNames.next(stem: name)
        inputs.append(Graph.Port(name: name, info: info))
        infos[name] = info
        return KerasValue(name: name)
    }

    mutating func constant(_ tensor: Tensor, _ stem: String) -> String {
        let name = valueNames.next(stem: layer + "/" + stem)
        constants[name] = tensor
        infos[name] = ValueInfo(constant: tensor)
        return name
    }

    mutating func integers(_ values: [Int], _ stem: String) -> String {
        constant(Tensor(values.map(Int64.init)), stem)
    }

    /// A number that goes with an element of any shape.
    mutating func scalar(_ value: Float, _ stem: String) throws(KerasRefusal) -> String {
        constant(try Self.tensor([value], []), stem)
    }

    static func tensor(_ elements: [Float], _ dimensions: [Int]) throws(KerasRefusal) -> Tensor {
        do {
            return try Tensor(elements, shape: try Shape(dimensions))
        } catch {
            throw KerasRefusal(error.description)
        }
    }

    /// Adds a node and gives the name of its first output.
    mutating func add(
        _ type: String, _ inputs: [String?], _ attributes: [String: Attribute] = [:]
    ) throws(KerasRefusal) -> String {
        try addNode(type, inputs, attributes, outputCount: 1)[0]
    }

    mutating func addNode(
        _ type: String, _ inputs: [String?], _ attributes: [String: Attribute] = [:], outputCount: Int
    ) throws(KerasRefusal) -> [String] {
        guard nodes.count < Graph.maximumNodeCount else {
            throw KerasRefusal("the model has more than \(Graph.maximumNodeCount) nodes")
        }
        let outputs = (0..<outputCount).map { _ in valueNames.next(stem: layer + "/" + type) }
        // A layer's name is that of what it computes, not of what brings the channels there.
        let stem = type == "Transpose" ? layer + "/" + type : layer
        do throws(GraphError) {
            let node = try Node(
                name: nodeNames.next(stem: stem), type: type, attributes: attributes, opset: Self.opset,
                inputs: inputs, outputs: outputs)
            let given = inputs.map { name in name.flatMap { infos[$0] } }
            let inferred = try node.operation.inferOutputs(given, outputCount: outputCount)
            for (name, info) in zip(outputs, inferred) { infos[name] = info }
            nodes.append(node)
        } catch {
            throw KerasRefusal(error)
        }
        return outputs
    }

    // MARK: - What is known of values

    func elementType(_ value: KerasValue) -> ElementType? { infos[value.name]?.elementType }

    /// The extents in Keras's order.
    func dimensions(_ value: KerasValue) throws(KerasRefusal) -> [Dimension] {
        guard var dimensions = infos[value.name]?.dimensions, dimensions.count <= KerasLimits.maximumRank
        else {
            throw KerasRefusal("the number of its input's dimensions is not known")
        }
        if value.isMoved { dimensions.append(dimensions.remove(at: 1)) }
        return dimensions
    }

    func rank(_ value: KerasValue) throws(KerasRefusal) -> Int { try dimensions(value).count }

    /// The extent of one of Keras's axes, negative ones from the end.
    func extent(_ value: KerasValue, _ axis: Int) throws(KerasRefusal) -> Int {
        let dimensions = try dimensions(value)
        let index = try Self.axis(axis, rank: dimensions.count)
        guard let extent = dimensions[index].value else {
            throw KerasRefusal("the extent of its input's axis \(axis) is not stated")
        }
        return extent
    }

    static func axis(_ axis: Int, rank: Int) throws(KerasRefusal) -> Int {
        guard axis >= -rank, axis < rank else { throw KerasRefusal("axis \(axis) of \(rank)") }
        return axis < 0 ? axis + rank : axis
    }

    /// Where one of Keras's axes is in the graph.
    func graphAxis(_ axis: Int, of value: KerasValue) throws(KerasRefusal) -> Int {
        let rank = try rank(value)
        let index = try Self.axis(axis, rank: rank)
        guard value.isMoved, index > 0 else { return index }
        return index == rank - 1 ? 1 : index + 1
    }

    // MARK: - Where the channels are

    /// The value as Keras has it.
    mutating func own(_ value: KerasValue) throws(KerasRefusal) -> String {
        guard value.isMoved else { return value.name }
        let rank = try rank(value)
        return try transposed(value.name, [0] + Array(2..<rank) + [1])
    }

    /// The value with its last axis as axis 1.
    mutating func channelsFirst(_ value: KerasValue) throws(KerasRefusal) -> String {
        let rank = try rank(value)
        guard !value.isMoved, rank > 2 else { return value.name }
        return try transposed(value.name, [0, rank - 1] + Array(1..<rank - 1))
    }

    private mutating func transposed(_ name: String, _ order: [Int]) throws(KerasRefusal) -> String {
        if let known = moved[name] { return known }
        let result = try add("Transpose", [name], ["perm": .integers(order.map(Int64.init))])
        moved[name] = result
        moved[result] = name
        return result
    }

    // MARK: - The graph

    /// The graph whose outputs have these names.
    consuming func graph(
        name: String, outputs: [(name: String, value: KerasValue)]
    ) throws(KerasRefusal) -> Graph {
        var ports: [Graph.Port] = []
        var renamed: [String: String] = [:]
        let given = Set(inputs.map(\.name))
        for (stem, value) in outputs {
            layer = stem
            var source = try own(value)
            if renamed[source] != nil || given.contains(source) || constants[source] != nil {
                source = try add("Identity", [source])
            }
            renamed[source] = valueNames.next(stem: stem)
            ports.append(
                Graph.Port(name: renamed[source] ?? source, info: infos[source] ?? ValueInfo(nil, nil)))
        }
        for index in nodes.indices {
            nodes[index].inputs = nodes[index].inputs.map { $0.map { renamed[$0] ?? $0 } }
            nodes[index].outputs = nodes[index].outputs.map { $0.map { renamed[$0] ?? $0 } }
        }
        do throws(GraphError) {
            let graph = try Graph(
                name: name, opset: Self.opset, inputs: inputs, outputs: ports, constants: constants,
                nodes: nodes)
            _ = try graph.inferValues()
            return graph
        } catch {
            throw KerasRefusal(error)
        }
    }
}
