import Folding
import Graph
import Tensors

/// SHA-256 of a graph: interface, nodes, attributes and every weight, each preceded by its length, so that graphs with
/// equal digests are equal. Of a weight go in the element type, the shape and the digest of its pieces' digests.
package struct GraphDigest {
    private var content: [UInt8] = []

    /// The digest in hexadecimal; weights are read on `threadCount` threads.
    package static func text(_ graph: Graph, threadCount: Int = 1) -> String {
        var digest = GraphDigest()
        digest.add(graph, threadCount: threadCount)
        return SHA256(digest.content).text
    }

    private mutating func add(_ graph: Graph, threadCount: Int = 1) {
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
        let constants = graph.constants.sorted { $0.key < $1.key }
        add(constants.count)
        let digests = Self.digests(constants.map(\.value), threadCount: threadCount)
        for ((name, tensor), digest) in zip(constants, digests) {
            add(name)
            add(graph.overridableInputs.contains(name) ? 1 : 0)
            add(tensor, digest)
        }
    }

    /// Tensors that are read before the pages of mapped ones go back, in bytes; a larger one is read alone.
    private static let groupByteCount = 32 << 20

    private static func digests(_ tensors: [Tensor], threadCount: Int) -> [SHA256] {
        var digests: [SHA256] = []
        while digests.count < tensors.count {
            var end = digests.count
            var byteCount = 0
            repeat {
                byteCount += tensors[end].byteCount
                end += 1
            } while end < tensors.count && byteCount + tensors[end].byteCount <= groupByteCount
            let group = tensors[digests.count..<end]
            digests += SHA256.ofPieces(byteCounts: group.map(\.byteCount), threadCount: threadCount) {
                index, range in
                group[group.startIndex + index].withUnsafeBytes {
                    SHA256(UnsafeRawBufferPointer(rebasing: $0[range]))
                }
            }
            for tensor in group { tensor.releasePages() }
        }
        return digests
    }

    private mutating func add(_ node: Node) {
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

    private mutating func add(_ attribute: Attribute) {
        add(attribute.kind)
        switch attribute {
        case .integer(let value): add(Int(value))
        case .real(let value): add(Int(value.bitPattern))
        case .string(let value): add(value)
        case .tensor(let value): add(value, Self.digests([value], threadCount: 1)[0])
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

    private mutating func add(_ tensor: Tensor, _ digest: SHA256) {
        add(tensor.elementType.rawValue)
        add(tensor.shape.rank)
        for extent in tensor.shape.dimensions { add(extent) }
        content += digest.bytes
    }

    private mutating func add(_ text: String) {
        add(text.utf8.count)
        content += text.utf8
    }

    private mutating func add(_ number: Int) {
        withUnsafeBytes(of: UInt64(bitPattern: Int64(number)).littleEndian) { content += $0 }
    }
}

extension FoldReport {
    /// Adds the digests of the model's graph and of the folded one: for who shows the report, since they read all weights.
    package mutating func addDigests(original: Graph, folded: Graph) {
        modelDigest = GraphDigest.text(original)
        foldDigest = GraphDigest.text(folded)
    }
}
