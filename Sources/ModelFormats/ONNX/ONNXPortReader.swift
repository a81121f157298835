import Graph
import Tensors

/// Reads what a model file declares of a graph's inputs and outputs.
struct ONNXPortReader {
    enum Role: String {
        case input = "graph input"
        case output = "graph output"
        case parameter = "subgraph input"
        case result = "subgraph output"

        /// Whether the type follows from elsewhere, so that it need not be declared.
        var isInferred: Bool { self != .input }
    }

    let path: String

    func port(_ proto: ONNXValueInfoProto, _ role: Role) throws(ModelError) -> Graph.Port {
        guard !proto.name.isEmpty else { throw refusal("a \(role.rawValue) has no name") }
        let what = "\(role.rawValue) '\(proto.name)'"
        // PyTorch's exporter writes an empty type for a branch's result whose shape it does not know.
        let isDeclared = proto.hasType && (proto.type.hasTensorType || role != .result)
        guard isDeclared || !role.isInferred else {
            return Graph.Port(name: proto.name, info: ValueInfo(nil, nil))
        }
        guard proto.type.hasTensorType else { throw refusal("\(what) is not declared as a tensor") }
        let tensor = proto.type.tensorType
        let type = ONNXElementType.type(tensor.elemType)
        guard type != nil || tensor.elemType == 0 && role.isInferred else {
            throw refusal("\(what): element type \(ONNXElementType.name(tensor.elemType)) is not supported")
        }
        guard tensor.hasShape else { return Graph.Port(name: proto.name, info: ValueInfo(type, nil)) }
        return Graph.Port(name: proto.name, info: ValueInfo(type, try dimensions(tensor.shape, what)))
    }

    private func dimensions(_ shape: ONNXTensorShapeProto, _ what: String) throws(ModelError) -> [Dimension] {
        let dimensions: [Dimension] = shape.dim.map { dimension in
            switch dimension.value {
            // Paddle's exporter calls each extent that it does not know "?": that is no name.
            case .dimValue(-1), .dimParam(""), .dimParam("?"), nil: .unknown
            case .dimValue(let value): .known(Int(value))
            case .dimParam(let name): .symbol(name)
            }
        }
        do {
            _ = try Shape(dimensions.compactMap(\.value))
        } catch {
            throw refusal("\(what): \(error)")
        }
        return dimensions
    }

    private func refusal(_ reason: String) -> ModelError { .file(path: path, reason: reason) }
}
