import Graph
import Tensors

/// Makes nodes and attributes of what a model file says about them.
struct ONNXNodeReader {
    private let scope: ONNXScopeReader

    /// `scope` reads the graphs inside the node, at the node's own operator set version.
    init(scope: ONNXScopeReader) { self.scope = scope }

    private var path: String { scope.path }

    /// The default domain has two names.
    static func isDefaultDomain(_ domain: String) -> Bool { domain.isEmpty || domain == "ai.onnx" }

    static func isConstant(_ proto: ONNXNodeProto) -> Bool {
        proto.opType == "Constant" && isDefaultDomain(proto.domain)
    }

    /// What errors call a node before it has a name of its own.
    static func displayName(_ proto: ONNXNodeProto) -> String {
        proto.name.isEmpty ? proto.output.first { !$0.isEmpty } ?? proto.opType : proto.name
    }

    /// The node that `proto` describes, called `name`.
    func read(_ proto: ONNXNodeProto, name: String) throws(ModelError) -> Node {
        var attributes = try attributes(of: proto)
        var inputs = Self.values(proto.input)
        let graphs = try graphs(of: proto)
        do throws(GraphError) {
            // All graphs of a node get the same captures, and the node reads them behind its own inputs.
            var seen: Set<String> = []
            let captures = graphs.flatMap(\.graph.captures).filter { seen.insert($0).inserted }
            for (name, graph) in graphs {
                // Absent inputs at the end count when a graph has parameters for them.
                while inputs.count < graph.parameters.count { inputs.append(nil) }
                attributes[name] = .graph(try graph.subgraph(captures: captures))
            }
            inputs += captures
            return try Node(
                name: name, domain: proto.domain, type: proto.opType, attributes: attributes,
                opset: opset(of: proto), inputs: inputs, outputs: Self.values(proto.output))
        } catch {
            throw .graph(path: path, at(proto, error))
        }
    }

    /// The value of a Constant node.
    func constant(_ proto: ONNXNodeProto) throws(ModelError) -> Tensor {
        if proto.attribute.count == 1, let sparse = proto.attribute.first, sparse.type == Self.sparseType,
            sparse.name == "sparse_value"
        {
            return try scope.sparseTensors.read(sparse.sparseTensor, name: Self.displayName(proto))
        }
        let attributes = try attributes(of: proto)
        guard attributes.count == 1, let (key, attribute) = attributes.first else {
            throw .graph(
                path: path,
                at(proto, .attribute("Constant", name: "value", reason: "must be the only attribute")))
        }
        switch (key, attribute) {
        case ("value", .tensor(let tensor)): return tensor
        case ("value_float", .real(let value)): return scalar(value)
        case ("value_floats", .reals(let values)): return Tensor(values)
        case ("value_int", .integer(let value)): return scalar(value)
        case ("value_ints", .integers(let values)): return Tensor(values)
        default:
            throw .graph(
                path: path,
                at(
                    proto,
                    .attribute("Constant", name: key, reason: "of kind \(attribute.kind) is not supported"))
            )
        }
    }

    private func opset(of proto: ONNXNodeProto) -> Int { proto.opset == 0 ? scope.opset : Int(proto.opset) }

    /// The node's graphs, by the attributes' names.
    private func graphs(
        of proto: ONNXNodeProto
    ) throws(ModelError) -> [(name: String, graph: ONNXNestedGraph)] {
        var graphs: [(name: String, graph: ONNXNestedGraph)] = []
        for attribute in proto.attribute where attribute.type == Self.graphType {
            var inner = scope
            inner.opset = opset(of: proto)
            graphs.append((attribute.name, try ONNXNestedGraph(attribute.g, inner)))
        }
        return graphs.sorted { $0.name < $1.name }
    }

    private func scalar<Element: TensorElement>(_ value: Element) -> Tensor {
        Tensor(elementType: Element.elementType, shape: .scalar) { bytes in
            withUnsafeBytes(of: value) { bytes.copyMemory(from: $0) }
        }
    }

    private func attributes(of proto: ONNXNodeProto) throws(ModelError) -> [String: Attribute] {
        var attributes: [String: Attribute] = [:]
        var names: Set<String> = []
        for attribute in proto.attribute {
            let value = try value(of: attribute, proto)
            guard names.insert(attribute.name).inserted else {
                throw refusal(proto, attribute, "is given twice")
            }
            attributes[attribute.name] = value
        }
        return attributes
    }

    private static let graphType: Int32 = 5
    private static let sparseType: Int32 = 11

    // A graph is `nil`: it is read when all of the node's are known.
    // AttributeProto.AttributeType. A writer may leave out a field that is 0 or empty, so a missing one is that.
    private func value(
        of attribute: ONNXAttributeProto, _ proto: ONNXNodeProto
    ) throws(ModelError) -> Attribute? {
        guard attribute.refAttrName.isEmpty else {
            throw refusal(proto, attribute, "refers to a function's attribute outside of a function")
        }
        guard Self.otherFields(of: attribute).isEmpty else {
            throw refusal(
                proto, attribute,
                "has type \(attribute.type), and its value in \(Self.otherFields(of: attribute).joined(separator: ", "))"
            )
        }
        switch attribute.type {
        case 0: throw refusal(proto, attribute, "has no type")
        case 1: return .real(attribute.f)
        case 2: return .integer(attribute.i)
        case 3: return .string(attribute.s)
        case 4:
            guard attribute.hasT else { throw refusal(proto, attribute, "holds no tensor") }
            return .tensor(
                try scope.tensors.read(attribute.t, name: "\(Self.displayName(proto)).\(attribute.name)"))
        case Self.graphType:
            guard attribute.hasG else { throw refusal(proto, attribute, "holds no graph") }
            return nil
        case 6: return .reals(attribute.floats)
        case 7: return .integers(attribute.ints)
        case 8: return .strings(attribute.strings)
        default:
            let names: [Int32: String] = [
                9: "tensors", 10: "graphs", 11: "a sparse tensor", 12: "sparse tensors",
                13: "a type", 14: "types",
            ]
            throw refusal(
                proto, attribute,
                "holds \(names[attribute.type] ?? "type \(attribute.type)"), which is not supported")
        }
    }

    /// The fields with a value that are not the one of the attribute's type.
    private static func otherFields(of attribute: ONNXAttributeProto) -> [String] {
        let fields: [(type: Int32, name: String, isFilled: Bool)] = [
            (1, "f", attribute.hasF), (2, "i", attribute.hasI), (3, "s", attribute.hasS),
            (4, "t", attribute.hasT), (5, "g", attribute.hasG), (6, "floats", !attribute.floats.isEmpty),
            (7, "ints", !attribute.ints.isEmpty), (8, "strings", !attribute.strings.isEmpty),
        ]
        return fields.filter { $0.isFilled && $0.type != attribute.type }.map(\.name)
    }

    /// An empty name is an absent value; trailing absent ones are left out.
    private static func values(_ names: [String]) -> [String?] {
        let last = names.lastIndex { !$0.isEmpty } ?? -1
        return names[...last].map { $0.isEmpty ? nil : $0 }
    }

    private func refusal(
        _ proto: ONNXNodeProto, _ attribute: ONNXAttributeProto, _ reason: String
    ) -> ModelError {
        .graph(path: path, at(proto, .attribute(proto.opType, name: attribute.name, reason: reason)))
    }

    private func at(_ proto: ONNXNodeProto, _ error: GraphError) -> GraphError {
        .node(Self.displayName(proto), operatorType: proto.opType, error)
    }
}
