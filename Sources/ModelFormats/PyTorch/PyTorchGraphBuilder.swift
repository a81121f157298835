import Graph
import Tensors

/// Collects the nodes and constants that a program's calls become.
final class PyTorchGraphBuilder {
    /// The version of ONNX's default operator set that the mappings are written for.
    static let opset = 21

    private enum Value {
        /// The graph's value of this name.
        case graph(String)
        /// A stored tensor that nothing has read yet.
        case weight(String)
    }

    let program: PyTorchProgram
    private(set) var nodes: [Node] = []
    private(set) var constants: [String: Tensor] = [:]
    private let weights: PyTorchWeights
    private var values: [String: Value] = [:]
    private var weightNames: [String: String] = [:]
    private var valueNames: UniqueNames
    private var nodeNames = UniqueNames(stated: [])
    private var integerConstants: [[Int64]: String] = [:]
    private var scalars: [String: String] = [:]
    /// Values all of whose elements are this number.
    private var fills: [String: Double] = [:]

    init(program: PyTorchProgram, weights: PyTorchWeights) {
        self.program = program
        self.weights = weights
        var stated = Set(program.inputs.map(\.name))
        for node in program.nodes { stated.formUnion(node.outputs.compactMap { $0 }) }
        valueNames = UniqueNames(stated: stated)
    }

    // MARK: - Names

    func define(_ name: String, as value: String) { values[name] = .graph(value) }
    func define(_ name: String, weight: String) { values[name] = .weight(weight) }

    /// The graph's value that `name` stands for.
    func value(_ name: String) throws(GraphError) -> String {
        switch values[name] {
        case .graph(let value): return value
        case .weight(let weight):
            let value = try constant(weight: weight)
            return value
        case nil: throw .missingValue(name: name, node: "")
        }
    }

    /// What is stated of the tensor that `name` stands for.
    func meta(_ name: String) throws(GraphError) -> PyTorchTensorMeta {
        if case .weight(let weight) = values[name], let meta = weights.meta(weight) { return meta }
        guard let meta = program.tensors[name] else {
            throw .input(
                "value '\(name)'", reason: "its element type and shape are not stated or not supported")
        }
        return meta
    }

    /// The stored tensor that `name` still is.
    func weightName(_ name: String) -> String? {
        if case .weight(let weight) = values[name] { weight } else { nil }
    }

    func dimension(_ dimension: PyTorchDimension) -> Dimension {
        switch dimension {
        case .known(let value): .known(value)
        case .symbol(let text):
            text.utf8.allSatisfy { $0 != UInt8(ascii: "(") }
                ? .symbol(program.symbolNames[text] ?? text) : .unknown
        }
    }

    /// The graph output for the program's output `name`: a node's result that has no other part to play.
    func output(_ name: String, inputs: [String], taken: [String]) throws(GraphError) -> String {
        let value = try value(name)
        if value == name, constants[value] == nil, !inputs.contains(value), !taken.contains(value) {
            return value
        }
        let isFree = !inputs.contains(name) && !nodes.contains { $0.outputs.contains(name) }
        let result = isFree && !taken.contains(name) ? name : valueNames.next(stem: name)
        try append("Identity", [value], [:], outputs: [result], name: "output/" + name)
        return result
    }

    // MARK: - Nodes

    func append(
        _ type: String, _ inputs: [String?], _ attributes: [String: Attribute], outputs: [String?],
        name: String
    ) throws(GraphError) {
        nodes.append(
            try Node(
                name: nodeNames.next(stem: name), type: type, attributes: attributes, opset: Self.opset,
                inputs: inputs, outputs: outputs))
    }

    func freshValue(_ stem: String) -> String { valueNames.next(stem: stem) }

    // MARK: - Constants

    func constant(weight: String, permutation: [Int]? = nil) throws(GraphError) -> String {
        let key = weight + (permutation.map { "\($0)" } ?? "")
        if let name = weightNames[key] { return name }
        let tensor: Tensor
        do {
            tensor = try weights.tensor(weight, permutation: permutation)
        } catch {
            throw .input("tensor '\(weight)'", reason: error.reason)
        }
        let name = add(tensor, stem: permutation == nil ? weight : weight + "/Transpose")
        weightNames[key] = name
        return name
    }

    func tensor(weight: String) throws(GraphError) -> Tensor {
        do {
            return try weights.tensor(weight)
        } catch {
            throw .input("tensor '\(weight)'", reason: error.reason)
        }
    }

    func add(_ tensor: Tensor, stem: String) -> String {
        let name = valueNames.next(stem: stem)
        constants[name] = tensor
        return name
    }

    /// A vector of int64.
    func vector(_ integers: [Int]) -> String {
        let elements = integers.map(Int64.init)
        if let name = integerConstants[elements] { return name }
        let name = add(Tensor(elements), stem: "constant/" + elements.map(String.init).joined(separator: "_"))
        integerConstants[elements] = name
        return name
    }

    /// A tensor without axes of one of the types that numbers are written in.
    func scalar(_ value: Double, _ type: ElementType) -> String {
        let key = "\(type) \(value)"
        if let name = scalars[key] { return name }
        let tensor = Self.filled(value, type, .scalar)
        let name = add(tensor, stem: "constant/\(type.rawValue)_\(value)")
        scalars[key] = name
        return name
    }

    /// A tensor all of whose elements are `value`; integers are cut to their range.
    static func filled(_ value: Double, _ type: ElementType, _ shape: Shape) -> Tensor {
        func made<Element: TensorElement>(_ element: Element) -> Tensor {
            // The count is the shape's own.
            try! Tensor([Element](repeating: element, count: shape.count), shape: shape)
        }
        switch type {
        case .float64: return made(value)
        case .int64: return made(Int64(exactly: value.rounded(.towardZero)) ?? (value < 0 ? .min : .max))
        case .int32: return made(Int32(exactly: value.rounded(.towardZero)) ?? (value < 0 ? .min : .max))
        case .bool: return made(value != 0)
        default: return made(Float(value))
        }
    }

    func note(_ value: String, fill: Double) { fills[value] = fill }
    func fill(_ value: String) -> Double? { fills[value] }
}
