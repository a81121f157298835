import Graph

/// The nodes of a function for one call, with the caller's values and attributes in the place of its own.
struct ONNXFunctionInstance {
    private let function: ONNXFunctionProto
    private let call: ONNXNodeProto
    private let callName: String
    /// The caller's attributes and the function's defaults for the others.
    private let attributes: [String: ONNXAttributeProto]
    private let opset: Int64
    /// The names that the function's values get; an absent input has none.
    private var values: [String: String] = [:]
    /// Outputs that are inputs, or listed before: they are copied.
    private var copies: [(source: String, output: String)] = []
    private let names: ONNXExpandedNames

    private static let nodeByteCount = 64

    init(
        _ function: ONNXFunctionProto, _ call: ONNXNodeProto, names: ONNXExpandedNames
    ) throws(GraphError) {
        self.function = function
        self.call = call
        self.names = names
        callName = ONNXNodeReader.displayName(call)
        var attributes: [String: ONNXAttributeProto] = [:]
        for attribute in function.attributeProto + call.attribute { attributes[attribute.name] = attribute }
        self.attributes = attributes
        opset = try Self.operatorSetVersion(function) ?? call.opset
        try bindInputs()
        try bindOutputs()
        for name in function.node.lazy.flatMap(\.output) where !name.isEmpty && values[name] == nil {
            values[name] = try names.nextValue(name, in: callName)
        }
    }

    func nodes() throws(GraphError) -> [ONNXNodeProto] {
        var nodes: [ONNXNodeProto] = []
        nodes.reserveCapacity(function.node.count + copies.count)
        for own in function.node {
            var node = try renamed(own, values)
            node.name = try names.nextNode(ONNXNodeReader.displayName(own), in: callName)
            node.opset = opset
            nodes.append(node)
        }
        for (source, output) in copies {
            var node = ONNXNodeProto()
            node.opType = "Identity"
            node.name = try names.nextNode(output, in: callName)
            (node.input, node.output) = ([source], [output])
            node.opset = opset
            nodes.append(node)
        }
        return nodes
    }

    // MARK: - Binding

    /// The version of the default operator set that the function states.
    private static func operatorSetVersion(_ function: ONNXFunctionProto) throws(GraphError) -> Int64? {
        let versions = Set(
            function.opsetImport.filter { ONNXNodeReader.isDefaultDomain($0.domain) }.map(\.version))
        guard let version = versions.first else { return nil }
        guard versions.count == 1, ONNXLimits.opsets.contains(version) else {
            throw .input(
                function.name,
                reason: "imports operator set version "
                    + versions.sorted().map(String.init).joined(separator: " and ")
                    + ", expected one from \(ONNXLimits.opsets.lowerBound) to \(ONNXLimits.opsets.upperBound)"
            )
        }
        return version
    }

    private mutating func bindInputs() throws(GraphError) {
        let given = call.input
        guard (given.lastIndex { !$0.isEmpty } ?? -1) < function.input.count else {
            throw .inputCount(function.name, expected: 0...function.input.count, actual: given.count)
        }
        for (index, name) in function.input.enumerated() {
            guard values.updateValue(index < given.count ? given[index] : "", forKey: name) == nil else {
                throw .duplicateValue(name: name)
            }
        }
    }

    private mutating func bindOutputs() throws(GraphError) {
        let asked = call.output
        guard (asked.lastIndex { !$0.isEmpty } ?? -1) < function.output.count else {
            throw .input(
                function.name,
                reason: "has \(function.output.count) outputs, the node names \(asked.count)")
        }
        for (name, output) in zip(function.output, asked) where !output.isEmpty {
            if let source = values[name] {
                copies.append((source, output))
            } else {
                values[name] = output
            }
        }
    }

    // MARK: - Nodes

    private func renamed(
        _ node: ONNXNodeProto, _ values: [String: String]
    ) throws(GraphError) -> ONNXNodeProto {
        var node = node
        try names.count(
            Self.nodeByteCount + MemoryLayout<String>.stride * (node.input.count + node.output.count))
        node.input = try renamed(node.input, values)
        node.output = try renamed(node.output, values)
        var bound: [ONNXAttributeProto] = []
        for attribute in node.attribute {
            var copy = attribute
            if !attribute.refAttrName.isEmpty {
                // An attribute that the caller leaves out and that has no default is left out here too.
                guard let source = attributes[attribute.refAttrName] else { continue }
                guard attribute.type == source.type || attribute.type == 0 else {
                    throw .attribute(
                        function.name, name: attribute.refAttrName,
                        reason: "has type \(source.type), expected \(attribute.type)")
                }
                copy = source
                copy.name = attribute.name
            } else if attribute.hasG {
                copy.g = try renamed(attribute.g, values)
            }
            try names.count(Self.byteCount(copy))
            bound.append(copy)
        }
        node.attribute = bound
        return node
    }

    /// A graph inside the function: what it defines gets new names, what it reads the names that these values have.
    private func renamed(
        _ graph: ONNXGraphProto, _ outer: [String: String]
    ) throws(GraphError) -> ONNXGraphProto {
        var graph = graph
        var values = outer
        let defined =
            graph.input.map(\.name) + graph.initializer.map(\.name)
            + graph.sparseInitializer.map(\.values.name) + graph.node.flatMap(\.output)
        for name in Set(defined).sorted() where !name.isEmpty {
            values[name] = try names.nextValue(name, in: callName)
        }
        try names.count(MemoryLayout<String>.stride * outer.count)
        for index in graph.input.indices { graph.input[index].name = values[graph.input[index].name] ?? "" }
        for index in graph.initializer.indices {
            try names.count(Self.byteCount(graph.initializer[index]))
            graph.initializer[index].name = values[graph.initializer[index].name] ?? ""
        }
        for index in graph.sparseInitializer.indices {
            let name = graph.sparseInitializer[index].values.name
            graph.sparseInitializer[index].values.name = values[name] ?? ""
        }
        let results = try renamed(graph.output.map(\.name), values)
        for (index, name) in results.enumerated() { graph.output[index].name = name }
        var nodes: [ONNXNodeProto] = []
        for node in graph.node {
            var node = try renamed(node, values)
            node.opset = opset
            nodes.append(node)
        }
        graph.node = nodes
        return graph
    }

    private func renamed(
        _ inner: [String], _ values: [String: String]
    ) throws(GraphError) -> [String] {
        var result: [String] = []
        result.reserveCapacity(inner.count)
        for name in inner {
            guard let value = name.isEmpty ? "" : values[name] else {
                throw .input(
                    function.name,
                    reason: "reads '\(name)', which is none of its inputs and no node's output")
            }
            result.append(value)
        }
        return result
    }

    /// What every instance of the attribute has of its own, when tensors and lists are made of it.
    private static func byteCount(_ attribute: ONNXAttributeProto) -> Int {
        nodeByteCount + 8 * (attribute.ints.count + attribute.floats.count)
            + 16 * attribute.strings.count + (attribute.hasT ? byteCount(attribute.t) : 0)
    }

    private static func byteCount(_ tensor: ONNXTensorProto) -> Int {
        nodeByteCount + 8 * (tensor.int32Data.count + tensor.int64Data.count + tensor.uint64Data.count)
            + 16 * (tensor.floatDataRanges.count + tensor.doubleDataRanges.count)
    }
}
