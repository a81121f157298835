import ModelServing
import Tensors

/// Tensor elements as JSON numbers, in C order; floats as their shortest decimal that reads back the same.
package enum TensorText {
    /// Throws `RequestError.output` for an infinity and for types that JSON cannot carry.
    package static func write(_ tensor: Tensor, name: String, to writer: inout JSONWriter)
        throws(RequestError)
    {
        switch tensor.elementType {
        case .float32: try writeReals(tensor, name, &writer, as: Float.self)
        case .float64: try writeReals(tensor, name, &writer, as: Double.self)
        case .uint8: writeIntegers(tensor, &writer, as: UInt8.self)
        case .uint16: writeIntegers(tensor, &writer, as: UInt16.self)
        case .uint32: writeIntegers(tensor, &writer, as: UInt32.self)
        case .uint64: writeIntegers(tensor, &writer, as: UInt64.self)
        case .int8: writeIntegers(tensor, &writer, as: Int8.self)
        case .int16: writeIntegers(tensor, &writer, as: Int16.self)
        case .int32: writeIntegers(tensor, &writer, as: Int32.self)
        case .int64: writeIntegers(tensor, &writer, as: Int64.self)
        case .bool:
            write(tensor, &writer, as: UInt8.self, byteCountEach: 6) { value, bytes in
                bytes.append(contentsOf: (value == 0 ? "false" : "true").utf8)
            }
        case .float16, .bfloat16:
            throw .output(
                name,
                reason: "JSON cannot carry data-type \(tensor.elementType.datatype); ask for binary data "
                    + "('\(InferFields.binaryData)': true)")
        }
    }

    private static func writeReals<Element: BinaryFloatingPoint & LosslessStringConvertible>(
        _ tensor: Tensor, _ name: String, _ writer: inout JSONWriter, as type: Element.Type
    ) throws(RequestError) {
        var infinite: Int?
        var index = 0
        write(tensor, &writer, as: type, byteCountEach: 12) { value, bytes in
            if value.isFinite {
                bytes.append(contentsOf: value.description.utf8)
            } else {
                // NaN reads back from null in the common clients; an infinity has no form at all.
                if value.isInfinite, infinite == nil { infinite = index }
                bytes.append(contentsOf: "null".utf8)
            }
            index += 1
        }
        guard let infinite else { return }
        throw .output(
            name,
            reason: "element \(infinite) is infinite, which JSON cannot carry; ask for binary data "
                + "('\(InferFields.binaryData)': true)")
    }

    private static func writeIntegers<Element: FixedWidthInteger>(
        _ tensor: Tensor, _ writer: inout JSONWriter, as type: Element.Type
    ) {
        write(tensor, &writer, as: type, byteCountEach: 4) { value, bytes in
            bytes.append(contentsOf: value.description.utf8)
        }
    }

    /// The elements, each as `append` writes it; `byteCountEach` is a guess of its length.
    @inline(__always)
    private static func write<Element>(
        _ tensor: Tensor, _ writer: inout JSONWriter, as type: Element.Type, byteCountEach: Int,
        _ append: (Element, inout [UInt8]) -> Void
    ) {
        writer.rawArray { bytes in
            bytes.reserveCapacity(bytes.count + tensor.shape.count * byteCountEach)
            tensor.withUnsafeBytes { source in
                let stride = MemoryLayout<Element>.stride
                for index in 0..<tensor.shape.count {
                    if index > 0 { bytes.append(UInt8(ascii: ",")) }
                    append(source.loadUnaligned(fromByteOffset: index * stride, as: type), &bytes)
                }
            }
        }
    }
}
