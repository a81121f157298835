import Graph
import SwiftProtobuf
import Tensors

/// Writes a graph as an ONNX model that any runtime loads.
///
/// Names, interface and nodes are the graph's own; constants become initializers. An `Affine` becomes the nodes that it
/// was recognised from, or, when a fold has changed it, Mul and Add. The file appears complete or not at all, and the
/// weights go into it from where they are.
package struct ONNXWriter: Sendable {
    private let producerVersion: String
    private let keepsOwnOperators: Bool

    package init(producerVersion: String = "") { self.init(producerVersion, keepsOwnOperators: false) }

    /// With `keepsOwnOperators`, an `Affine` is written as one, in Graph's own domain: for files that are only read back.
    package init(keepsOwnOperators: Bool) { self.init("", keepsOwnOperators: keepsOwnOperators) }

    private init(_ producerVersion: String, keepsOwnOperators: Bool) {
        self.producerVersion = producerVersion
        self.keepsOwnOperators = keepsOwnOperators
    }

    /// The IR version that came with each operator set version, the newest last.
    ///
    /// Not below 4: earlier ones want every initializer among the inputs. Source: ONNX, "Versioning".
    private static let irVersions: [(firstOpset: Int, irVersion: Int64)] = [
        (0, 4), (10, 5), (11, 6), (12, 7), (15, 8), (19, 9), (21, 10), (23, 11), (24, 12), (25, 13),
    ]

    /// Throws `ModelError.file` when the file cannot be written or would be longer than protobuf allows, and
    /// `ModelError.graph` when an affine node's shape is not known well enough to write it.
    package func write(_ graph: Graph, to path: String, isDurable: Bool = true) throws(ModelError) {
        let lowered =
            keepsOwnOperators
            ? ONNXAffineLowering.Result(nodes: graph.nodes, constants: graph.constants)
            : try ONNXAffineLowering(path: path).lower(graph)
        let message: ONNXMessage
        do {
            message = try model(graph, lowered)
        } catch {
            throw .file(path: path, reason: "cannot be encoded: \(error)")
        }
        guard message.byteCount <= ONNXLimits.maximumWrittenByteCount else {
            throw .file(
                path: path,
                reason: "would have \(message.byteCount) bytes, an ONNX file has at most "
                    + "\(ONNXLimits.maximumWrittenByteCount)")
        }
        do throws(AtomicFile.Failure) {
            var file = try AtomicFile(path: path)
            for part in message.parts { try Self.append(part, to: &file) }
            try file.commit(isDurable: isDurable)
        } catch {
            throw .file(path: path, reason: error.reason)
        }
    }

    private static func append(
        _ part: ONNXMessage.Part, to file: inout AtomicFile
    ) throws(AtomicFile.Failure) {
        switch part {
        case .bytes(let bytes): try file.append(bytes)
        case .tensor(let tensor):
            try tensor.withUnsafeBytes { (bytes) throws(AtomicFile.Failure) in try file.append(bytes) }
        }
    }

    // MARK: - Messages

    private func model(_ graph: Graph, _ lowered: ONNXAffineLowering.Result) throws -> ONNXMessage {
        var model = ONNXModelProto()
        model.irVersion = Self.irVersions.last { $0.firstOpset <= graph.opset }?.irVersion ?? 4
        model.producerName = "foldserve"
        model.producerVersion = producerVersion
        var operatorSet = ONNXOperatorSetProto()
        operatorSet.version = Int64(graph.opset)
        model.opsetImport = [operatorSet]
        var message = ONNXMessage()
        try message.append(model)
        message.append(try self.graph(graph, lowered), field: 7)
        return message
    }

    private func graph(_ graph: Graph, _ lowered: ONNXAffineLowering.Result) throws -> ONNXMessage {
        var message = ONNXMessage()
        let visible = ONNXSubgraphNames.names(lowered.nodes, lowered.constants, graph.inputs)
        for node in lowered.nodes {
            message.append(try self.node(node, opset: graph.opset, visible), field: 1)
        }
        var interface = ONNXGraphProto()
        // Other runtimes refuse a graph without a name.
        interface.name = graph.name.isEmpty ? "graph" : graph.name
        interface.input = graph.inputs.map { value($0.name, $0.info) }
        for name in graph.overridableInputs.sorted() {
            guard let tensor = graph.constants[name] else { continue }
            interface.input.append(value(name, ValueInfo(constant: tensor)))
        }
        interface.output = graph.outputs.map { value($0.name, $0.info) }
        try message.append(interface)
        for (name, tensor) in lowered.constants.sorted(by: { $0.key < $1.key }) {
            message.append(try ONNXMessage(tensor: tensor, name: name), field: 5)
        }
        return message
    }

    /// A subgraph of a node that reads `captures`, in a place where the names in `visible` have a meaning.
    private func graph(
        _ subgraph: Subgraph, opset: Int, captures: [String?], _ visible: Set<String>
    ) throws -> ONNXMessage {
        let graph = ONNXSubgraphNames.renamed(subgraph, captures: captures, visible)
        let visible = visible.union(ONNXSubgraphNames.names(graph.nodes, graph.constants, graph.inputs))
        var message = ONNXMessage()
        for node in graph.nodes { message.append(try self.node(node, opset: opset, visible), field: 1) }
        var interface = ONNXGraphProto()
        interface.name = graph.name.isEmpty ? "graph" : graph.name
        interface.input = graph.inputs.dropLast(captures.count).map { value($0.name, $0.info) }
        interface.output = graph.outputs.map { value($0.name, $0.info) }
        try message.append(interface)
        for (name, tensor) in graph.constants.sorted(by: { $0.key < $1.key }) {
            message.append(try ONNXMessage(tensor: tensor, name: name), field: 5)
        }
        return message
    }

    private func node(_ node: Node, opset: Int, _ visible: Set<String>) throws -> ONNXMessage {
        try Self.check(node, means: opset)
        var proto = ONNXNodeProto()
        proto.input = node.ownInputs.map { $0 ?? "" }
        proto.output = node.outputs.map { $0 ?? "" }
        proto.name = node.name
        proto.opType = node.type
        proto.domain = node.domain
        var message = ONNXMessage()
        try message.append(proto)
        for (name, attribute) in node.attributes.sorted(by: { $0.key < $1.key }) {
            guard case .graph(let subgraph) = attribute else {
                message.append(try self.attribute(name, attribute), field: 5)
                continue
            }
            var proto = ONNXAttributeProto()
            (proto.name, proto.type) = (name, 5)
            var written = ONNXMessage()
            try written.append(proto)
            let captures = Array(node.inputs.suffix(subgraph.captures.count))
            written.append(try graph(subgraph, opset: opset, captures: captures, visible), field: 6)
            message.append(written, field: 5)
        }
        return message
    }

    /// Throws when a node from a function of another operator set version would mean something else in the file's.
    private static func check(_ node: Node, means opset: Int) throws(GraphError) {
        guard node.opset != opset, node.subgraphs.isEmpty else { return }
        let same = try? Node(
            name: node.name, domain: node.domain, type: node.type, attributes: node.attributes, opset: opset,
            inputs: node.inputs, outputs: node.outputs)
        // An operator is its attributes and what the version makes of them: what reads the same computes the same.
        guard let same, String(reflecting: same.operation) == String(reflecting: node.operation) else {
            throw GraphError.input(
                node.type,
                reason:
                    "is written for operator set \(node.opset) and means something else in \(opset), the model's"
            ).at(node)
        }
    }

    private func attribute(_ name: String, _ attribute: Attribute) throws -> ONNXMessage {
        var proto = ONNXAttributeProto()
        proto.name = name
        var tensor: Tensor?
        switch attribute {
        case .real(let value): (proto.type, proto.f) = (1, value)
        case .integer(let value): (proto.type, proto.i) = (2, value)
        case .string(let value): (proto.type, proto.s) = (3, value)
        case .tensor(let value): (proto.type, tensor) = (4, value)
        case .reals(let values): (proto.type, proto.floats) = (6, values)
        case .integers(let values): (proto.type, proto.ints) = (7, values)
        case .strings(let values): (proto.type, proto.strings) = (8, values)
        case .graph: preconditionFailure("a graph is written with its node")
        }
        var message = ONNXMessage()
        try message.append(proto)
        if let tensor { message.append(try ONNXMessage(tensor: tensor), field: 5) }
        return message
    }

    private func value(_ name: String, _ info: ValueInfo) -> ONNXValueInfoProto {
        var proto = ONNXValueInfoProto()
        proto.name = name
        guard info.elementType != nil || info.dimensions != nil else { return proto }
        if let type = info.elementType { proto.type.tensorType.elemType = ONNXElementType.number(type) }
        if let dimensions = info.dimensions {
            proto.type.tensorType.shape.dim = dimensions.map { dimension in
                var proto = ONNXTensorShapeProto.Dimension()
                switch dimension {
                case .known(let value): proto.dimValue = Int64(value)
                case .symbol(let name): proto.dimParam = name
                case .unknown: break
                }
                return proto
            }
        }
        return proto
    }
}
