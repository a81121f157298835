import SwiftProtobuf
import Tensors

/// An encoded message whose tensors' elements are written from where they are.
struct ONNXMessage {
    enum Part {
        case bytes([UInt8])
        case tensor(Tensor)
    }

    private(set) var parts: [Part] = []
    /// The length of the encoding; `Int.max` when it cannot be counted.
    private(set) var byteCount = 0

    /// Appends the fields of a message that has no elements of tensors in it.
    mutating func append(_ message: some Message) throws {
        append(bytes: try message.serializedBytes())
    }

    /// Appends a field that holds a message.
    mutating func append(_ child: ONNXMessage, field: Int) {
        appendPrefix(field: field, byteCount: child.byteCount)
        for part in child.parts {
            switch part {
            case .bytes(let bytes): append(bytes: bytes)
            case .tensor(let tensor): append(elements: tensor)
            }
        }
    }

    /// The fields of a TensorProto.
    init(tensor: Tensor, name: String = "") throws {
        var proto = ONNXTensorProto()
        proto.name = name
        proto.dataType = ONNXElementType.number(tensor.elementType)
        proto.dims = tensor.shape.dimensions.map(Int64.init)
        try append(proto)
        appendPrefix(field: Self.rawDataField, byteCount: tensor.byteCount)
        append(elements: tensor)
    }

    init() {}

    private static let rawDataField = 9

    private mutating func append(bytes: [UInt8]) {
        count(bytes.count)
        // Neighbours become one part: a graph of small nodes is one.
        if case .bytes(var last)? = parts.last {
            parts.removeLast()
            last.append(contentsOf: bytes)
            parts.append(.bytes(last))
        } else {
            parts.append(.bytes(bytes))
        }
    }

    private mutating func append(elements tensor: Tensor) {
        count(tensor.byteCount)
        parts.append(.tensor(tensor))
    }

    private mutating func appendPrefix(field: Int, byteCount: Int) {
        append(bytes: Self.varint(UInt64(field) << 3 | 2) + Self.varint(UInt64(byteCount)))
    }

    private mutating func count(_ more: Int) {
        let (sum, overflow) = byteCount.addingReportingOverflow(more)
        byteCount = overflow ? .max : sum
    }

    private static func varint(_ value: UInt64) -> [UInt8] {
        var bytes: [UInt8] = []
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(rest & 0x7f) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
        return bytes
    }
}
