import Foundation
import Graph
import Tensors
import Testing

/// One node with its inputs and what another implementation makes of them: see Tests/Fixtures/operators.
struct ReferenceCase: Sendable, CustomTestStringConvertible {
    let name: String
    let node: Node
    let inputs: [Tensor?]
    let outputs: [Tensor?]

    var testDescription: String { name }

    /// The cases of one file, and the error of those whose node is refused when it is made.
    static func load(_ file: String) throws -> (cases: [ReferenceCase], refused: [String: GraphError]) {
        let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(
            path: "../Fixtures/operators")
        let blob = try Data(contentsOf: folder.appending(path: "\(file).bin"))
        let descriptions = try JSONDecoder().decode(
            [Description].self, from: Data(contentsOf: folder.appending(path: "\(file).json")))
        var cases: [ReferenceCase] = []
        var refused: [String: GraphError] = [:]
        for description in descriptions {
            do {
                cases.append(try description.made(blob))
            } catch let error as GraphError {
                refused[description.name] = error
            }
        }
        return (cases, refused)
    }
}

private struct Description: Decodable {
    struct Value: Decodable {
        let type: String
        let shape: [Int]
        let offset: Int

        func tensor(_ blob: Data) throws -> Tensor {
            let type = try #require(ElementType(rawValue: type))
            let shape = try Shape(shape)
            return Tensor(elementType: type, shape: shape) { bytes in
                let range = offset..<offset + shape.count * type.byteCount
                bytes.copyBytes(from: blob[range])
            }
        }
    }

    enum AttributeValue: Decodable {
        case integer(Int64)
        case real(Float)
        case string(String)
        case tensor(Value)
        case integers([Int64])
        case reals([Float])
        case strings([String])

        private enum Keys: String, CodingKey { case kind, value }

        init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: Keys.self)
            switch try container.decode(String.self, forKey: .kind) {
            case "INT": self = .integer(try container.decode(Int64.self, forKey: .value))
            case "FLOAT": self = .real(try container.decode(Float.self, forKey: .value))
            case "STRING": self = .string(try container.decode(String.self, forKey: .value))
            case "TENSOR": self = .tensor(try container.decode(Value.self, forKey: .value))
            case "INTS": self = .integers(try container.decode([Int64].self, forKey: .value))
            case "FLOATS": self = .reals(try container.decode([Float].self, forKey: .value))
            default: self = .strings(try container.decode([String].self, forKey: .value))
            }
        }

        func attribute(_ blob: Data) throws -> Attribute {
            switch self {
            case .integer(let value): .integer(value)
            case .real(let value): .real(value)
            case .string(let value): .string(value)
            case .tensor(let value): .tensor(try value.tensor(blob))
            case .integers(let values): .integers(values)
            case .reals(let values): .reals(values)
            case .strings(let values): .strings(values)
            }
        }
    }

    let name: String
    let type: String
    let opset: Int
    let attributes: [String: AttributeValue]
    let inputs: [Value?]
    let outputs: [Value?]

    func made(_ blob: Data) throws -> ReferenceCase {
        ReferenceCase(
            name: name,
            node: try Node(
                name: name, type: type, attributes: attributes.mapValues { try $0.attribute(blob) },
                opset: opset, inputs: inputs.indices.map { inputs[$0].map { _ in "input" } },
                outputs: outputs.indices.map { outputs[$0].map { _ in "output" } }),
            inputs: try inputs.map { try $0?.tensor(blob) },
            outputs: try outputs.map { try $0?.tensor(blob) })
    }
}
