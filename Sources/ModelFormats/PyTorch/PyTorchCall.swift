import Graph
import Tensors

/// One call of an operator while it is mapped: its arguments by name, and where its nodes go.
struct PyTorchCall {
    let node: PyTorchNode
    let builder: PyTorchGraphBuilder

    func refusal(_ reason: String) -> GraphError { .input(node.target, reason: reason) }

    // MARK: - Tensors

    /// The tensor that an operator in place writes into, and that a view shows.
    static func written(by node: PyTorchNode) -> String? {
        let argument = node.arguments["self"] ?? node.arguments["input"]
        if case .tensor(let name) = argument { return name }
        return nil
    }

    var writtenTensor: String? { Self.written(by: node) }

    func has(_ name: String) -> Bool {
        switch node.arguments[name] {
        case nil, .absent: false
        default: true
        }
    }

    func tensorName(_ argument: String) throws(GraphError) -> String {
        guard case .tensor(let name) = node.arguments[argument] else {
            throw refusal("argument '\(argument)' is no tensor")
        }
        return name
    }

    /// The graph's value of a tensor argument.
    func value(_ argument: String = "self") throws(GraphError) -> String {
        try builder.value(tensorName(argument))
    }

    func optionalValue(_ argument: String) throws(GraphError) -> String? {
        has(argument) ? try value(argument) : nil
    }

    func tensorNames(_ argument: String) throws(GraphError) -> [String?] {
        guard case .tensors(let names) = node.arguments[argument] else {
            throw refusal("argument '\(argument)' is no list of tensors")
        }
        return names
    }

    func meta(_ argument: String = "self") throws(GraphError) -> PyTorchTensorMeta {
        try builder.meta(tensorName(argument))
    }

    /// What is stated of an output.
    func outputMeta(_ index: Int = 0) throws(GraphError) -> PyTorchTensorMeta {
        guard index < node.outputs.count, let name = node.outputs[index] else {
            throw refusal("has no output \(index)")
        }
        return try builder.meta(name)
    }

    /// The known extent of a tensor argument's axis.
    func extent(_ argument: String = "self", _ axis: Int) throws(GraphError) -> Int {
        let dimensions = try meta(argument).dimensions
        guard dimensions.indices.contains(axis), let value = dimensions[axis].value else {
            throw refusal("axis \(axis) of '\(argument)' must be known")
        }
        return value
    }

    // MARK: - Numbers

    func symbolicInteger(_ name: String) throws(GraphError) -> PyTorchInteger {
        guard case .integer(let integer) = node.arguments[name] else {
            throw refusal("argument '\(name)' is no integer")
        }
        return resolved(integer)
    }

    func symbolicIntegers(_ name: String) throws(GraphError) -> [PyTorchInteger] {
        switch node.arguments[name] {
        case .integers(let integers): return integers.map(resolved)
        case .integer(let integer): return [resolved(integer)]
        // An empty list has no kind.
        case .tensors(let tensors) where tensors.isEmpty: return []
        case .reals(let reals) where reals.isEmpty: return []
        default: throw refusal("argument '\(name)' is no list of integers")
        }
    }

    private func resolved(_ integer: PyTorchInteger) -> PyTorchInteger {
        guard case .value(let name) = integer, let value = builder.program.integers[name] else {
            return integer
        }
        return .known(value)
    }

    func integer(_ name: String, default value: Int? = nil) throws(GraphError) -> Int {
        if let value, !has(name) { return value }
        guard case .known(let integer) = try symbolicInteger(name) else {
            throw refusal("argument '\(name)' must be known")
        }
        return integer
    }

    func integers(_ name: String, default value: [Int]? = nil) throws(GraphError) -> [Int] {
        if let value, !has(name) { return value }
        var integers: [Int] = []
        for integer in try symbolicIntegers(name) {
            guard case .known(let value) = integer else { throw refusal("argument '\(name)' must be known") }
            integers.append(value)
        }
        return integers
    }

    /// A number for each of `count` axes; one alone counts for all.
    func perAxis(_ name: String, count: Int, default value: Int) throws(GraphError) -> [Int] {
        let integers = try integers(name, default: [])
        if integers.isEmpty { return [Int](repeating: value, count: count) }
        if integers.count == 1 { return [Int](repeating: integers[0], count: count) }
        guard integers.count == count else {
            throw refusal("argument '\(name)' has \(integers.count) numbers, expected \(count)")
        }
        return integers
    }

    func real(_ name: String, default value: Double? = nil) throws(GraphError) -> Double {
        switch node.arguments[name] {
        case .real(let value): return value
        case .integer(.known(let value)): return Double(value)
        case .boolean(let value): return value ? 1 : 0
        default:
            guard let value, !has(name) else { throw refusal("argument '\(name)' is no number") }
            return value
        }
    }

    func flag(_ name: String, default value: Bool = false) throws(GraphError) -> Bool {
        guard has(name) else { return value }
        guard case .boolean(let flag) = node.arguments[name] else {
            throw refusal("argument '\(name)' is no boolean")
        }
        return flag
    }

    func text(_ name: String, default value: String) throws(GraphError) -> String {
        guard has(name) else { return value }
        guard case .string(let text) = node.arguments[name] else {
            throw refusal("argument '\(name)' is no string")
        }
        return text
    }

    /// An axis of a tensor of `rank`, counted from the front.
    func axis(_ value: Int, rank: Int) throws(GraphError) -> Int {
        // A scalar has one axis, for whoever asks.
        let count = max(1, rank)
        guard (-count..<count).contains(value) else { throw refusal("axis \(value) of rank \(rank)") }
        return value < 0 ? value + count : value
    }

    func axis(_ name: String = "dim", of argument: String = "self", default value: Int? = nil)
        throws(GraphError)
        -> Int
    {
        try axis(integer(name, default: value), rank: meta(argument).rank)
    }

    // MARK: - Nodes

    /// A node on the way, and its value.
    func emit(
        _ type: String, _ inputs: [String?], _ attributes: [String: Attribute] = [:]
    ) throws(GraphError) -> String {
        let value = builder.freshValue(node.name + "/" + type)
        try builder.append(
            type, inputs, attributes, outputs: [value], name: node.displayName + "/" + type)
        return value
    }

    /// The node whose output is the call's own.
    func result(
        _ type: String, _ inputs: [String?], _ attributes: [String: Attribute] = [:]
    ) throws(GraphError) -> [String] {
        guard let name = node.outputs.first ?? nil else { return [try emit(type, inputs, attributes)] }
        try builder.append(type, inputs, attributes, outputs: [name], name: node.displayName)
        return [name]
    }

    /// The node whose outputs are all of the call's.
    func results(
        _ type: String, _ inputs: [String?], _ attributes: [String: Attribute] = [:]
    ) throws(GraphError) -> [String] {
        let names = node.outputs.map { $0 ?? builder.freshValue(node.name) }
        try builder.append(type, inputs, attributes, outputs: names, name: node.displayName)
        return names
    }

    func vector(_ integers: [Int]) -> String { builder.vector(integers) }

    /// A number as a tensor without axes.
    func scalar(_ value: Double, _ type: ElementType) throws(GraphError) -> String {
        switch type {
        case .float32, .float64, .int32, .int64, .bool: return builder.scalar(value, type)
        default:
            let wide = builder.scalar(value, type.isFloatingPoint ? .float32 : .int64)
            return try cast(wide, to: type)
        }
    }

    func cast(_ value: String, to type: ElementType) throws(GraphError) -> String {
        try emit("Cast", [value], ["to": .integer(Int64(ONNXElementType.number(type)))])
    }

    /// A vector of integers of which nodes compute some.
    func vector(_ integers: [PyTorchInteger]) throws(GraphError) -> String {
        var parts: [String] = []
        var known: [Int] = []
        for integer in integers {
            switch integer {
            case .known(let value): known.append(value)
            case .value(let name):
                if !known.isEmpty { parts.append(builder.vector(known)) }
                known = []
                parts.append(try builder.value(name))
            }
        }
        if !known.isEmpty || parts.isEmpty { parts.append(builder.vector(known)) }
        return parts.count == 1 ? parts[0] : try emit("Concat", parts, ["axis": .integer(0)])
    }
}
