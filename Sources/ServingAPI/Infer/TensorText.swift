import ModelServing
import Tensors

/// Tensor elements as JSON numbers, in C order; floats as their shortest decimal that reads back the same.
package enum TensorText {
    /// All elements in one list. Throws `RequestError.output` for an infinity and for types that JSON cannot carry.
    package static func write(_ tensor: Tensor, name: String, to writer: inout JSONWriter)
        throws(RequestError)
    {
        try writer.rawArray { (bytes) throws(RequestError) in
            try append(tensor, 0..<tensor.shape.count, name, to: &bytes)
        }
    }

    /// Lists in lists as the shape says, of the item `item` along the first axis or of all. Throws as `write` does.
    package static func writeNested(
        _ tensor: Tensor, item: Int?, name: String, to writer: inout JSONWriter
    ) throws(RequestError) {
        let itemCount = tensor.shape.dimensions.dropFirst().reduce(1, *)
        var start = (item ?? 0) * itemCount
        try writer.rawValue { (bytes) throws(RequestError) in
            try nested(tensor, axis: item == nil ? 0 : 1, &start, name, to: &bytes)
        }
    }

    private static func nested(
        _ tensor: Tensor, axis: Int, _ start: inout Int, _ name: String, to bytes: inout [UInt8]
    ) throws(RequestError) {
        let rank = tensor.shape.rank
        if axis >= rank - 1 {
            let count = axis == rank - 1 ? tensor.shape[axis] : 1
            if axis == rank - 1 { bytes.append(UInt8(ascii: "[")) }
            try append(tensor, start..<start + count, name, to: &bytes)
            if axis == rank - 1 { bytes.append(UInt8(ascii: "]")) }
            start += count
            return
        }
        bytes.append(UInt8(ascii: "["))
        for index in 0..<tensor.shape[axis] {
            if index > 0 { bytes.append(UInt8(ascii: ",")) }
            try nested(tensor, axis: axis + 1, &start, name, to: &bytes)
        }
        bytes.append(UInt8(ascii: "]"))
    }

    /// The elements of a range with commas between them.
    private static func append(
        _ tensor: Tensor, _ range: Range<Int>, _ name: String, to bytes: inout [UInt8]
    ) throws(RequestError) {
        switch tensor.elementType {
        case .float32: try appendFloats(tensor, range, name, &bytes)
        case .float64: try appendReals(tensor, range, name, &bytes, as: Double.self)
        case .uint8: appendIntegers(tensor, range, &bytes, as: UInt8.self)
        case .uint16: appendIntegers(tensor, range, &bytes, as: UInt16.self)
        case .uint32: appendIntegers(tensor, range, &bytes, as: UInt32.self)
        case .uint64: appendIntegers(tensor, range, &bytes, as: UInt64.self)
        case .int8: appendIntegers(tensor, range, &bytes, as: Int8.self)
        case .int16: appendIntegers(tensor, range, &bytes, as: Int16.self)
        case .int32: appendIntegers(tensor, range, &bytes, as: Int32.self)
        case .int64: appendIntegers(tensor, range, &bytes, as: Int64.self)
        case .bool:
            append(tensor, range, &bytes, as: UInt8.self, byteCountEach: 6) { value, bytes in
                bytes.append(contentsOf: (value == 0 ? "false" : "true").utf8)
            }
        case .float16, .bfloat16:
            throw .output(
                name,
                reason: "JSON cannot carry data-type \(tensor.elementType.datatype); ask for binary data "
                    + "('\(InferFields.binaryData)': true)")
        }
    }

    private static func appendReals<Element: BinaryFloatingPoint & LosslessStringConvertible>(
        _ tensor: Tensor, _ range: Range<Int>, _ name: String, _ bytes: inout [UInt8], as type: Element.Type
    ) throws(RequestError) {
        var infinite: Int?
        var index = range.lowerBound
        append(tensor, range, &bytes, as: type, byteCountEach: 12) { value, bytes in
            if value.isFinite {
                bytes.append(contentsOf: value.description.utf8)
            } else {
                // NaN reads back from null in the common clients; an infinity has no form at all.
                if value.isInfinite, infinite == nil { infinite = index }
                bytes.append(contentsOf: "null".utf8)
            }
            index += 1
        }
        if let infinite { throw infinity(name, infinite) }
    }

    private static func infinity(_ name: String, _ index: Int) -> RequestError {
        .output(
            name,
            reason: "element \(index) is infinite, which JSON cannot carry; ask for binary data "
                + "('\(InferFields.binaryData)': true)")
    }

    /// Numbers that are put together before they are appended.
    private static let pieceCount = 256

    private static func appendFloats(
        _ tensor: Tensor, _ range: Range<Int>, _ name: String, _ bytes: inout [UInt8]
    ) throws(RequestError) {
        var infinite: Int?
        if range.count == tensor.shape.count { bytes.reserveCapacity(bytes.count + range.count * 12) }
        tensor.withUnsafeBytes { source in
            // A number has room for its text and a comma.
            withUnsafeTemporaryAllocation(of: UInt8.self, capacity: pieceCount * (FloatText.room + 1)) {
                piece in
                withUnsafeTemporaryAllocation(of: FloatText.Decimal.self, capacity: pieceCount) { decimals in
                    for first in stride(from: range.lowerBound, to: range.upperBound, by: pieceCount) {
                        let values = first..<min(first + pieceCount, range.upperBound)
                        let count = write(
                            source, values, decimals.baseAddress!, to: piece.baseAddress!, &infinite)
                        let comma = first == range.lowerBound ? 1 : 0
                        bytes.append(contentsOf: UnsafeBufferPointer(rebasing: piece[comma..<count]))
                    }
                }
            }
        }
        if let infinite { throw infinity(name, infinite) }
    }

    /// Writes at most `pieceCount` floats, a comma before each; gives how many bytes they took.
    private static func write(
        _ source: UnsafeRawBufferPointer, _ range: Range<Int>,
        _ decimals: UnsafeMutablePointer<FloatText.Decimal>,
        to start: UnsafeMutablePointer<UInt8>, _ infinite: inout Int?
    ) -> Int {
        func value(_ index: Int) -> Float {
            source.loadUnaligned(fromByteOffset: index * MemoryLayout<Float>.stride, as: Float.self)
        }
        return FloatText.withTables { text in
            for (place, index) in range.enumerated() where value(index).isFinite {
                decimals[place] = text.decimal(value(index))
            }
            var count = 0
            for (place, index) in range.enumerated() {
                let value = value(index)
                start[count] = UInt8(ascii: ",")
                count += 1
                if value.isFinite {
                    count += text.write(decimals[place], of: value, to: start + count)
                    continue
                }
                // NaN reads back from null in the common clients; an infinity has no form at all.
                if value.isInfinite, infinite == nil { infinite = index }
                for byte in "null".utf8 {
                    start[count] = byte
                    count += 1
                }
            }
            return count
        }
    }

    private static func appendIntegers<Element: FixedWidthInteger>(
        _ tensor: Tensor, _ range: Range<Int>, _ bytes: inout [UInt8], as type: Element.Type
    ) {
        append(tensor, range, &bytes, as: type, byteCountEach: 4) { value, bytes in
            bytes.append(contentsOf: value.description.utf8)
        }
    }

    /// The elements, each as `append` writes it; `byteCountEach` is a guess of its length.
    @inline(__always)
    private static func append<Element>(
        _ tensor: Tensor, _ range: Range<Int>, _ bytes: inout [UInt8], as type: Element.Type,
        byteCountEach: Int, _ append: (Element, inout [UInt8]) -> Void
    ) {
        if range.count == tensor.shape.count {
            bytes.reserveCapacity(bytes.count + tensor.shape.count * byteCountEach)
        }
        tensor.withUnsafeBytes { source in
            let stride = MemoryLayout<Element>.stride
            for index in range {
                if index > range.lowerBound { bytes.append(UInt8(ascii: ",")) }
                append(source.loadUnaligned(fromByteOffset: index * stride, as: type), &bytes)
            }
        }
    }
}
