import ModelServing
import Tensors

/// Tensor elements in the typed fields of an InferTensorContents.
enum TensorContents {
    /// Reads the elements of `contents`, where there are none of `message`.
    ///
    /// Throws for a count that the shape does not have, a number that the type cannot hold and any other field.
    static func read(
        _ contents: ProtobufReader?, of message: ProtobufReader, port: ModelInterface.Port, shape: Shape
    ) throws(RequestError) -> Tensor {
        let reader = contents ?? message.nested(0..<0)
        switch port.elementType {
        case .bool: return try read(reader, port, shape, 1, as: UInt8.self) { $0 <= 1 ? UInt8($0) : nil }
        case .int8: return try read(reader, port, shape, 2, as: Int8.self, signed)
        case .int16: return try read(reader, port, shape, 2, as: Int16.self, signed)
        case .int32: return try read(reader, port, shape, 2, as: Int32.self, signed)
        case .int64: return try read(reader, port, shape, 3, as: Int64.self, signed)
        case .uint8: return try read(reader, port, shape, 4, as: UInt8.self) { UInt8(exactly: $0) }
        case .uint16: return try read(reader, port, shape, 4, as: UInt16.self) { UInt16(exactly: $0) }
        case .uint32: return try read(reader, port, shape, 4, as: UInt32.self) { UInt32(exactly: $0) }
        case .uint64: return try read(reader, port, shape, 5, as: UInt64.self) { $0 }
        case .float32: return try read(reader, port, shape, 6, as: UInt32.self) { UInt32(exactly: $0) }
        case .float64: return try read(reader, port, shape, 7, as: UInt64.self) { $0 }
        case .float16, .bfloat16:
            throw .input(
                port.name,
                reason: "'contents' cannot carry data-type \(port.elementType.datatype); "
                    + "send it in raw_input_contents")
        }
    }

    private static func signed<Element: FixedWidthInteger>(_ bits: UInt64) -> Element? {
        Element(exactly: Int64(bitPattern: bits))
    }

    /// Elements of the field `number`; `element` makes one of a varint or of a fixed number's bits.
    @inline(__always)
    private static func read<Element: FixedWidthInteger>(
        _ contents: ProtobufReader, _ port: ModelInterface.Port, _ shape: Shape, _ number: Int,
        as type: Element.Type, _ element: (UInt64) -> Element?
    ) throws(RequestError) -> Tensor {
        let name = port.name
        let mismatch = RequestError.input(
            name, reason: "shape \(shape) needs \(shape.count) elements, 'contents' has another number")
        // An element takes a byte at least: memory is only reserved for what can come.
        guard shape.count <= contents.byteCount else { throw mismatch }
        return try Tensor(elementType: port.elementType, shape: shape) { (memory) throws(RequestError) in
            var count = 0
            func append(_ bits: UInt64) throws(RequestError) {
                guard count < shape.count else { throw mismatch }
                guard let element = element(bits) else {
                    throw .input(
                        name, reason: "element \(count) is out of range of \(port.elementType.datatype)")
                }
                memory.storeBytes(of: element, toByteOffset: count * MemoryLayout<Element>.stride, as: type)
                count += 1
            }
            var reader = contents
            while let field = try reader.next() {
                guard field.number == number else {
                    throw .input(
                        name,
                        reason:
                            "'contents' has elements of another data-type than \(port.elementType.datatype)")
                }
                switch (field.value, number) {
                case (.varint(let bits), ..<6): try append(bits)
                case (.fixed32(let bits), 6): try append(UInt64(bits))
                case (.fixed64(let bits), 7): try append(bits)
                case (.bytes(let range), _):
                    var packed = reader.nested(range)
                    while !packed.isAtEnd {
                        switch number {
                        case 6: try append(UInt64(try packed.fixed(UInt32.self)))
                        case 7: try append(try packed.fixed(UInt64.self))
                        default: try append(try packed.varint())
                        }
                    }
                default: throw reader.error("'contents' is of another wire type")
                }
            }
            guard count == shape.count else { throw mismatch }
        }
    }
}
