import COpenSSL
import Folding
import Graph
import Tensors

/// SHA-256 of a graph: interface, nodes, attributes and every weight, each preceded by its length, so that graphs with
/// equal digests are equal.
package struct GraphDigest {
    private let context: OpaquePointer

    /// The digest in hexadecimal.
    package static func text(_ graph: Graph) -> String {
        guard let context = EVP_MD_CTX_new() else { preconditionFailure("no memory for a digest") }
        defer { EVP_MD_CTX_free(context) }
        EVP_DigestInit_ex(context, EVP_sha256(), nil)
        GraphDigest(context: context).add(graph)
        var bytes = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
        var count = UInt32(0)
        EVP_DigestFinal_ex(context, &bytes, &count)
        return bytes.prefix(Int(count)).map { byte in
            let text = String(byte, radix: 16)
            return byte < 16 ? "0" + text : text
        }.joined()
    }

    private func add(_ graph: Graph) {
        add(graph.opset)
        for ports in [graph.inputs, graph.outputs] {
            add(ports.count)
            for port in ports {
                add(port.name)
                add(port.info.description)
            }
        }
        add(graph.nodes.count)
        for node in graph.nodes { add(node) }
        add(graph.constants.count)
        for (name, tensor) in graph.constants.sorted(by: { $0.key < $1.key }) {
            add(name)
            add(graph.overridableInputs.contains(name) ? 1 : 0)
            add(tensor)
        }
    }

    private func add(_ node: Node) {
        for text in [node.name, node.domain, node.type] { add(text) }
        add(node.opset)
        for names in [node.inputs, node.outputs] {
            add(names.count)
            for name in names {
                add(name == nil ? 0 : 1)
                add(name ?? "")
            }
        }
        add(node.attributes.count)
        for (name, attribute) in node.attributes.sorted(by: { $0.key < $1.key }) {
            add(name)
            add(attribute)
        }
    }

    private func add(_ attribute: Attribute) {
        add(attribute.kind)
        switch attribute {
        case .integer(let value): add(Int(value))
        case .real(let value): add(Int(value.bitPattern))
        case .string(let value): add(value)
        case .tensor(let value): add(value)
        case .integers(let values):
            add(values.count)
            for value in values { add(Int(value)) }
        case .reals(let values):
            add(values.count)
            for value in values { add(Int(value.bitPattern)) }
        case .strings(let values):
            add(values.count)
            for value in values { add(value) }
        case .graph(let subgraph): add(subgraph.graph)
        }
    }

    private func add(_ tensor: Tensor) {
        add(tensor.elementType.rawValue)
        add(tensor.shape.rank)
        for extent in tensor.shape.dimensions { add(extent) }
        tensor.withUnsafeBytes { bytes in
            if let start = bytes.baseAddress { EVP_DigestUpdate(context, start, bytes.count) }
        }
        tensor.releasePages()
    }

    private func add(_ text: String) {
        let bytes = Array(text.utf8)
        add(bytes.count)
        EVP_DigestUpdate(context, bytes, bytes.count)
    }

    private func add(_ number: Int) {
        var bytes = UInt64(bitPattern: Int64(number)).littleEndian
        EVP_DigestUpdate(context, &bytes, MemoryLayout<UInt64>.size)
    }
}

extension FoldReport {
    /// Adds the digests of the model's graph and of the folded one: for who shows the report, since they read all weights.
    package mutating func addDigests(original: Graph, folded: Graph) {
        modelDigest = GraphDigest.text(original)
        foldDigest = GraphDigest.text(folded)
    }
}
