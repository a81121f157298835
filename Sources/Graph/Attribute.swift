import Tensors

/// A constant parameter of a node, as the model file states it.
package enum Attribute: Sendable {
    case integer(Int64)
    case real(Float)
    case string(String)
    case tensor(Tensor)
    case integers([Int64])
    case reals([Float])
    case strings([String])
    indirect case graph(Subgraph)

    package var kind: String {
        switch self {
        case .integer: "int"
        case .real: "float"
        case .string: "string"
        case .tensor: "tensor"
        case .integers: "ints"
        case .reals: "floats"
        case .strings: "strings"
        case .graph: "graph"
        }
    }
}

/// The attributes of one node, read by an operator's initializer.
///
/// Every read is remembered, so that an attribute that the operator does not know is refused by name.
package struct AttributeReader {
    package let operatorType: String
    /// The version of the operator set that the model was written for.
    package let opset: Int
    private let attributes: [String: Attribute]
    private var readNames: Set<String> = []

    package init(operatorType: String, opset: Int, attributes: [String: Attribute]) {
        self.operatorType = operatorType
        self.opset = opset
        self.attributes = attributes
    }

    package mutating func integer(_ name: String) throws(GraphError) -> Int? {
        guard let attribute = read(name) else { return nil }
        guard case .integer(let value) = attribute else { throw wrongKind(name, attribute, expected: "int") }
        return Int(value)
    }

    package mutating func integer(_ name: String, default value: Int) throws(GraphError) -> Int {
        try integer(name) ?? value
    }

    /// An int that must be 0 or 1.
    package mutating func flag(_ name: String, default value: Bool) throws(GraphError) -> Bool {
        guard let integer = try integer(name) else { return value }
        guard integer == 0 || integer == 1 else {
            throw .attribute(operatorType, name: name, reason: "expected 0 or 1, got \(integer)")
        }
        return integer == 1
    }

    package mutating func real(_ name: String) throws(GraphError) -> Float? {
        guard let attribute = read(name) else { return nil }
        guard case .real(let value) = attribute else { throw wrongKind(name, attribute, expected: "float") }
        return value
    }

    package mutating func real(_ name: String, default value: Float) throws(GraphError) -> Float {
        try real(name) ?? value
    }

    package mutating func string(_ name: String) throws(GraphError) -> String? {
        guard let attribute = read(name) else { return nil }
        guard case .string(let value) = attribute else {
            throw wrongKind(name, attribute, expected: "string")
        }
        return value
    }

    package mutating func integers(_ name: String) throws(GraphError) -> [Int]? {
        guard let attribute = read(name) else { return nil }
        guard case .integers(let values) = attribute else {
            throw wrongKind(name, attribute, expected: "ints")
        }
        return values.map { Int($0) }
    }

    package mutating func reals(_ name: String) throws(GraphError) -> [Float]? {
        guard let attribute = read(name) else { return nil }
        guard case .reals(let values) = attribute else {
            throw wrongKind(name, attribute, expected: "floats")
        }
        return values
    }

    package mutating func strings(_ name: String) throws(GraphError) -> [String]? {
        guard let attribute = read(name) else { return nil }
        guard case .strings(let values) = attribute else {
            throw wrongKind(name, attribute, expected: "strings")
        }
        return values
    }

    package mutating func tensor(_ name: String) throws(GraphError) -> Tensor? {
        guard let attribute = read(name) else { return nil }
        guard case .tensor(let value) = attribute else {
            throw wrongKind(name, attribute, expected: "tensor")
        }
        return value
    }

    /// A graph that the operator runs. Throws when it is absent.
    package mutating func subgraph(_ name: String) throws(GraphError) -> Subgraph {
        guard let attribute = read(name) else {
            throw .attribute(operatorType, name: name, reason: "is missing")
        }
        guard case .graph(let value) = attribute else { throw wrongKind(name, attribute, expected: "graph") }
        return value
    }

    /// Reads past an attribute that has no meaning for inference.
    package mutating func ignore(_ name: String) { _ = read(name) }

    /// Throws for the first attribute, by name, that nothing has read.
    package func finish() throws(GraphError) {
        if let name = attributes.keys.filter({ !readNames.contains($0) }).min() {
            throw .attribute(operatorType, name: name, reason: "is not known in opset \(opset)")
        }
    }

    private mutating func read(_ name: String) -> Attribute? {
        readNames.insert(name)
        return attributes[name]
    }

    private func wrongKind(_ name: String, _ actual: Attribute, expected: String) -> GraphError {
        .attribute(operatorType, name: name, reason: "expected \(expected), got \(actual.kind)")
    }
}
