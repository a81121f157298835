import Tensors

/// Reads a graph's nodes and what is stated of its values.
///
/// Parts that ran without gradients or with autocast off are graphs of their own in the file: their nodes stand in the place
/// of the call, with the names of the graph around them for what goes in and out.
struct PyTorchNodeReader {
    private typealias Reader = PyTorchArgumentReader

    private(set) var nodes: [PyTorchNode] = []
    private(set) var tensors: [String: PyTorchTensorMeta] = [:]
    /// The integers that are the same in every run.
    private(set) var integers: [String: Int] = [:]

    /// A graph's names in the outermost one: those that are stated, and a prefix for the others.
    private struct Scope {
        var names: [String: String] = [:]
        var prefix = ""
        var depth = 0

        func name(_ name: String) -> String { names[name] ?? prefix + name }
    }

    private static let maximumDepth = 16
    private static let autocast = "torch.ops.higher_order.wrap_with_autocast"
    private static let gradients = "torch.ops.higher_order.wrap_with_set_grad_enabled"

    static func read(_ graph: JSON) throws(PyTorchArgumentReader.Refusal) -> PyTorchNodeReader {
        var reader = PyTorchNodeReader()
        try reader.read(graph, Scope())
        return reader
    }

    private mutating func read(_ graph: JSON, _ scope: Scope) throws(Reader.Refusal) {
        guard let list = graph["nodes"]?.array, scope.depth <= Self.maximumDepth else {
            throw Reader.Refusal(reason: "a graph has no nodes, or is inside too many others")
        }
        for (name, description) in graph["tensor_values"]?.object ?? [:] {
            let meta = try Reader.meta(description)
            if tensors[scope.name(name)] == nil { tensors[scope.name(name)] = meta }
        }
        for (name, value) in graph["sym_int_values"]?.object ?? [:] {
            integers[scope.name(name)] = try Reader.dimension(value).value
        }
        for json in list {
            let target = try Reader.name(json["target"])
            if target == Self.autocast || target == Self.gradients {
                try inline(json, target, scope)
            } else {
                try append(try Self.node(json, target, scope))
            }
        }
    }

    private mutating func append(_ node: PyTorchNode) throws(Reader.Refusal) {
        guard nodes.count < PyTorchLimits.maximumNodeCount else {
            throw Reader.Refusal(reason: "more than \(PyTorchLimits.maximumNodeCount) nodes")
        }
        nodes.append(node)
    }

    // MARK: - Graphs inside the graph

    private mutating func inline(_ json: JSON, _ target: String, _ scope: Scope) throws(Reader.Refusal) {
        let arguments = json["inputs"]?.array ?? []
        guard let place = arguments.firstIndex(where: { $0["arg"]?["as_graph"] != nil }),
            let name = arguments[place]["arg"]?["as_graph"]?["name"]?.string,
            let graph = arguments[place]["arg"]?["as_graph"]?["graph"]
        else { throw Reader.Refusal(reason: "\(target) has no graph") }
        let isEnabled = arguments.prefix(place).lazy.compactMap { $0["arg"]?["as_bool"]?.boolean }.first
        guard target == Self.gradients || isEnabled == false else {
            throw Reader.Refusal(reason: "a part runs with autocast: export the model without it")
        }
        let given = try Self.values(arguments.dropFirst(place + 1).map { $0["arg"] ?? .null })
        let wanted = try Self.values(graph["inputs"]?.array ?? [])
        let results = try Self.values(graph["outputs"]?.array ?? [])
        let outputs = try Self.values(json["outputs"]?.array ?? [])
        guard given.count == wanted.count, results.count == outputs.count else {
            throw Reader.Refusal(
                reason: "\(target) passes \(given.count) values to \(wanted.count) and \(results.count) to "
                    + "\(outputs.count)")
        }
        var inner = Scope(prefix: scope.prefix + name + "/", depth: scope.depth + 1)
        for (own, outer) in zip(wanted, given) { inner.names[own] = scope.name(outer) }
        var passed: [(value: String, output: String)] = []
        for (own, outer) in zip(results, outputs) {
            if inner.names[own] == nil {
                inner.names[own] = scope.name(outer)
            } else {
                passed.append((inner.name(own), scope.name(outer)))
            }
        }
        try read(graph, inner)
        // What comes out as it went in, or twice.
        for (value, output) in passed {
            try append(
                PyTorchNode(
                    target: "aten.alias.default", name: output, module: "",
                    arguments: ["self": .tensor(value)],
                    outputs: [output]))
        }
    }

    /// The names of tensors and integers, lists of them flattened.
    private static func values(_ arguments: [JSON]) throws(Reader.Refusal) -> [String] {
        var names: [String] = []
        for json in arguments {
            let argument = try Reader.argument(json)
            guard !argument.names.isEmpty else {
                throw Reader.Refusal(reason: "a graph inside the graph takes or gives what is no tensor")
            }
            names += argument.names
        }
        return names
    }

    // MARK: - Nodes

    private static func node(
        _ json: JSON, _ target: String, _ scope: Scope
    ) throws(Reader.Refusal) -> PyTorchNode {
        let prefix = "torch.ops."
        var arguments: [String: PyTorchArgument] = [:]
        for (index, input) in (json["inputs"]?.array ?? []).enumerated() {
            guard let argument = input["arg"] else {
                throw Reader.Refusal(reason: "an argument of \(target) has no value")
            }
            // Python's own operators have arguments without names.
            let name = try input["name"].map(Reader.name) ?? ""
            let key = name.isEmpty || arguments[name] != nil ? "\(index)" : name
            arguments[key] = try Reader.argument(argument).renamed(scope.name)
        }
        var outputs: [String?] = []
        for output in json["outputs"]?.array ?? [] {
            switch try Reader.argument(output) {
            case .tensor(let name), .integer(.value(let name)): outputs.append(scope.name(name))
            case .tensors(let names): outputs += names.map { $0.map(scope.name) }
            default: outputs.append(nil)
            }
        }
        let stated = try json["name"].map(Reader.name).map(scope.name)
        return PyTorchNode(
            target: target.hasPrefix(prefix) ? String(target.dropFirst(prefix.count)) : target,
            name: stated ?? outputs.lazy.compactMap { $0 }.first ?? target,
            module: module(json["metadata"]?["nn_module_stack"]?.string), arguments: arguments,
            outputs: outputs)
    }

    /// `L__self__,,Net;L__self___c,c,torch.nn.modules.conv.Conv2d`: the innermost module's path.
    private static func module(_ stack: String?) -> String {
        guard let innermost = stack?.split(separator: ";").last else { return "" }
        let parts = innermost.split(separator: ",", omittingEmptySubsequences: false)
        guard parts.count == 3, parts[1].utf8.count <= PyTorchLimits.maximumNameByteCount,
            !parts[1].hasPrefix("_empty_nn_module_stack")
        else { return "" }
        return String(parts[1])
    }
}
