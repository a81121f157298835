import Graph
import Tensors

import Folding

/// Small graphs in code: values are called as the test calls them, elements come from a seeded generator.
struct GraphBuilder {
    var opset = 17
    var elementType = ElementType.float32
    var random: SplitMix64
    var inputs: [Graph.Port] = []
    var outputs: [Graph.Port] = []
    var constants: [String: Tensor] = [:]
    var overridable: Set<String> = []
    var nodes: [Node] = []

    init(seed: UInt64 = 1, elementType: ElementType = .float32) {
        random = SplitMix64(state: seed)
        self.elementType = elementType
    }

    mutating func input(_ name: String, _ dimensions: [Dimension]?) {
        inputs.append(Graph.Port(name: name, info: ValueInfo(elementType, dimensions)))
    }

    mutating func input(_ name: String, _ dimensions: [Int]) { input(name, dimensions.map(Dimension.known)) }

    mutating func output(_ name: String) {
        outputs.append(Graph.Port(name: name, info: ValueInfo(elementType, nil)))
    }

    mutating func reals(_ count: Int, in range: ClosedRange<Double> = -1...1) -> [Double] {
        (0..<count).map { _ in Double.random(in: range, using: &random) }
    }

    @discardableResult
    mutating func constant(_ name: String, _ values: [Double], _ dimensions: [Int]) throws -> String {
        constants[name] =
            ExactTensor(reals: values, shape: try Shape(dimensions), elementType: elementType).tensor
        return name
    }

    @discardableResult
    mutating func weight(_ name: String, _ dimensions: [Int]) throws -> String {
        try constant(name, reals(dimensions.reduce(1, *)), dimensions)
    }

    @discardableResult
    mutating func node(
        _ type: String, _ inputs: [String?], _ output: String, name: String? = nil,
        _ attributes: [String: Attribute] = [:]
    ) throws -> String {
        nodes.append(
            try Node(
                name: name ?? type.lowercased() + "_" + output, type: type, attributes: attributes,
                opset: opset,
                inputs: inputs, outputs: [output]))
        return output
    }

    /// A batch normalization whose parameters have negative and zero scales and some tiny variances.
    @discardableResult
    mutating func batchNorm(
        _ input: String, _ output: String, channels: Int, name: String? = nil,
        _ attributes: [String: Attribute] = [:]
    ) throws -> String {
        let name = name ?? "bn_" + output
        var scale = reals(channels, in: -2...2)
        if channels > 2 { scale[Int.random(in: 0..<channels, using: &random)] = 0 }
        var variance = reals(channels, in: 0.1...2)
        if channels > 1 { variance[Int.random(in: 0..<channels, using: &random)] = 1e-6 }
        return try batchNorm(
            input, output, scale: scale, bias: reals(channels), mean: reals(channels), variance: variance,
            name: name, attributes)
    }

    @discardableResult
    mutating func batchNorm(
        _ input: String, _ output: String, scale: [Double], bias: [Double], mean: [Double],
        variance: [Double],
        name: String? = nil, _ attributes: [String: Attribute] = [:]
    ) throws -> String {
        let name = name ?? "bn_" + output
        let parameters = [("gamma", scale), ("beta", bias), ("mean", mean), ("variance", variance)]
        for (role, values) in parameters { try constant("\(name).\(role)", values, [values.count]) }
        return try node(
            "BatchNormalization", [input] + parameters.map { "\(name).\($0.0)" }, output, name: name,
            attributes)
    }

    func graph() throws -> Graph {
        try Graph(
            name: "test", opset: opset, inputs: inputs, outputs: outputs, constants: constants,
            overridableInputs: overridable, nodes: nodes)
    }
}

extension Tensor {
    var reals: [Double] { ExactTensor(self).reals ?? [] }
}

extension Graph {
    func node(_ name: String) -> Node? { nodes.first { $0.name == name } }

    func count(of type: String) -> Int { nodes.count { $0.type == type } }
}

extension FoldReport {
    func entry(_ name: String) -> Entry? { entries.first { $0.batchNorm == name } }
}
