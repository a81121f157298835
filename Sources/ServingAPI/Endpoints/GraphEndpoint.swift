import Execution
import Graph
import HTTPServer
import HTTPTypes
import ModelServing
import Tensors

/// GET /v2/models/M/graph: nodes, shapes and weights before and after folding.
struct GraphEndpoint: Endpoint {
    let name = "graph"
    let method = HTTPRequest.Method.get
    let paths = ["/v2/models/{model}/graph", "/v2/models/{model}/versions/{version}/graph"]
    private let services: ServingServices
    private let documents = ModelDocuments(make: Self.document)

    init(_ services: ServingServices) { self.services = services }

    func handle(_ call: EndpointCall, completion: @escaping EndpointCompletion) throws(RequestError) {
        try documents.respond(call, services, completion: completion)
    }

    static func document(_ model: LoadedModel) throws(RequestError) -> [UInt8] {
        let folded = try model.refolded().graph
        var writer = JSONWriter(capacity: 64 << 10)
        writer.object { writer in
            writer.key("name")
            writer.string(model.name)
            writer.key("version")
            writer.string(model.version)
            writer.key("platform")
            writer.string(model.platform)
            writer.key("before")
            GraphDocument(model.original).write(to: &writer)
            writer.key("after")
            GraphDocument(folded).write(to: &writer)
            writer.key("execution")
            write(model.executable, to: &writer)
        }
        return writer.bytes
    }

    /// The steps that run, in order.
    private static func write(_ executable: Executable, to writer: inout JSONWriter) {
        writer.object { writer in
            writer.key("instruction_set")
            writer.string(executable.instructionSet.rawValue)
            writer.key("steps")
            writer.array { writer in
                for step in executable.stepDescriptions {
                    writer.object { writer in
                        writer.key("kernel")
                        writer.string(step.kernel)
                        writer.key("nodes")
                        writer.strings(step.nodes)
                        writer.key("operators")
                        writer.strings(step.operators)
                        writer.key("outputs")
                        writer.strings(step.outputs.map(\.name))
                    }
                }
            }
        }
    }
}

/// A graph as JSON.
private struct GraphDocument {
    private let graph: Graph
    private let values: [String: ValueInfo]

    init(_ graph: Graph) {
        self.graph = graph
        // A served graph has passed this inference already; without it only the shapes are missing.
        values = (try? graph.inferValues()) ?? [:]
    }

    func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.key("inputs")
            writer.array { writer in
                for port in graph.inputs {
                    write(value: port.name, values[port.name] ?? port.info, to: &writer)
                }
            }
            writer.key("outputs")
            writer.array { writer in
                for port in graph.outputs {
                    write(value: port.name, values[port.name] ?? port.info, to: &writer)
                }
            }
            writer.key("nodes")
            writer.array { writer in for node in graph.nodes { write(node, to: &writer) } }
            writer.key("weights")
            writer.array { writer in
                for (name, tensor) in graph.constants.sorted(by: { $0.key < $1.key }) {
                    write(weight: name, tensor, to: &writer)
                }
            }
            writer.key("weight_byte_size")
            writer.integer(graph.constants.values.reduce(0) { $0 + $1.byteCount })
        }
    }

    private func write(_ node: Node, to writer: inout JSONWriter) {
        writer.object { writer in
            writer.key("name")
            writer.string(node.name)
            writer.key("type")
            writer.string(node.type)
            if !node.domain.isEmpty {
                writer.key("domain")
                writer.string(node.domain)
            }
            writer.key("inputs")
            writer.array { writer in
                for name in node.inputs { if let name { writer.string(name) } else { writer.null() } }
            }
            writer.key("outputs")
            writer.array { writer in
                for case let name? in node.outputs { write(value: name, values[name], to: &writer) }
            }
        }
    }

    private func write(value name: String, _ info: ValueInfo?, to writer: inout JSONWriter) {
        writer.object { writer in
            writer.key("name")
            writer.string(name)
            writer.key("datatype")
            if let type = info?.elementType { writer.string(type.datatype) } else { writer.null() }
            writer.key("shape")
            if let dimensions = info?.dimensions {
                writer.integers(dimensions.map { $0.value ?? -1 })
            } else {
                writer.null()
            }
        }
    }

    private func write(weight name: String, _ tensor: Tensor, to writer: inout JSONWriter) {
        writer.object { writer in
            writer.key("name")
            writer.string(name)
            writer.key("datatype")
            writer.string(tensor.elementType.datatype)
            writer.key("shape")
            writer.integers(tensor.shape.dimensions)
            writer.key("byte_size")
            writer.integer(tensor.byteCount)
        }
    }
}
