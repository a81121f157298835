import Graph

/// Puts the nodes of the functions that a model defines in the place of the nodes that call them.
///
/// A function takes precedence over an operator of its name. It sees its inputs and nothing else; its values and nodes get
/// names that nothing else has. A function that is never called costs nothing.
///
/// Source: ONNX, "Open Neural Network Exchange Intermediate Representation", Functions.
struct ONNXFunctionExpander {
    private struct Key: Hashable {
        let domain: String
        let name: String
        let overload: String

        init(domain: String, name: String, overload: String) {
            self.domain = ONNXNodeReader.isDefaultDomain(domain) ? "" : domain
            self.name = name
            self.overload = overload
        }

        init(_ node: ONNXNodeProto) {
            self.init(domain: node.domain, name: node.opType, overload: node.overload)
        }

        var description: String {
            (domain.isEmpty ? "" : domain + ".") + name + (overload.isEmpty ? "" : ":" + overload)
        }
    }

    private let path: String
    private let functions: [Key: ONNXFunctionProto]
    private let names: ONNXExpandedNames
    /// The functions whose nodes are being expanded, the innermost last.
    private var calls: [Key] = []
    /// How many graphs the nodes lie in that are being expanded.
    private var depth = 0
    private var nodeCount = 0

    /// The model's graph without calls of functions.
    ///
    /// Throws for functions that call themselves, over however many others, for what cannot be bound, and past the limits
    /// of what a model may hold.
    static func expand(_ model: ONNXModelProto, path: String) throws(ModelError) -> ONNXGraphProto {
        guard !model.functions.isEmpty else { return model.graph }
        var functions: [Key: ONNXFunctionProto] = [:]
        for function in model.functions {
            let key = Key(domain: function.domain, name: function.name, overload: function.overload)
            guard functions.updateValue(function, forKey: key) == nil else {
                throw .file(path: path, reason: "function '\(key.description)' is defined twice")
            }
        }
        var expander = ONNXFunctionExpander(
            path: path, functions: functions, names: ONNXExpandedNames(model.graph))
        var graph = model.graph
        graph.node = try expander.expanded(graph.node)
        return graph
    }

    private init(path: String, functions: [Key: ONNXFunctionProto], names: ONNXExpandedNames) {
        self.path = path
        self.functions = functions
        self.names = names
    }

    private mutating func expanded(_ nodes: [ONNXNodeProto]) throws(ModelError) -> [ONNXNodeProto] {
        var result: [ONNXNodeProto] = []
        result.reserveCapacity(nodes.count)
        for node in nodes {
            let key = Key(node)
            if let function = functions[key] {
                result += try body(of: function, key, calledBy: node)
                continue
            }
            var node = node
            for index in node.attribute.indices where node.attribute[index].hasG {
                depth += 1
                guard depth <= Subgraph.maximumDepth else {
                    throw .graph(
                        path: path,
                        .limit("nesting of subgraphs", maximum: Subgraph.maximumDepth, actual: depth))
                }
                node.attribute[index].g.node = try expanded(node.attribute[index].g.node)
                depth -= 1
            }
            result.append(node)
        }
        return result
    }

    private mutating func body(
        of function: ONNXFunctionProto, _ key: Key, calledBy call: ONNXNodeProto
    ) throws(ModelError) -> [ONNXNodeProto] {
        guard !calls.contains(key) else {
            let cycle = (calls + [key]).map { "'\($0.description)'" }.joined(separator: ", ")
            throw .file(path: path, reason: "a function calls itself: \(cycle)")
        }
        guard calls.count < ONNXLimits.maximumCallDepth else {
            throw .graph(
                path: path,
                .limit(
                    "calls of functions inside functions", maximum: ONNXLimits.maximumCallDepth,
                    actual: calls.count + 1))
        }
        let nodes: [ONNXNodeProto]
        do throws(GraphError) {
            nodes = try ONNXFunctionInstance(function, call, names: names).nodes()
            nodeCount += 1 + nodes.count
            guard nodeCount <= ONNXLimits.maximumNodeCount else {
                throw .limit(
                    "nodes of expanded functions", maximum: ONNXLimits.maximumNodeCount, actual: nodeCount)
            }
        } catch {
            throw .graph(
                path: path,
                .node(ONNXNodeReader.displayName(call), operatorType: key.description, error))
        }
        calls.append(key)
        defer { calls.removeLast() }
        return try expanded(nodes)
    }
}
