import Glibc

/// NumPy's `.npy` files: one array a file.
///
/// Reads format versions 1 to 3, C or Fortran order, little-endian; writes version 1, C order.
/// Source: NumPy Enhancement Proposal 1 and `numpy.lib.format`.
package enum NPYFile {
    /// The longest header that is read, in bytes; NumPy's own are 118.
    package static let maximumHeaderByteCount = 65_535

    private static let magic: [UInt8] = [0x93] + Array("NUMPY".utf8)

    /// Reads a file. Elements in C order stay in the mapped file.
    ///
    /// Throws `TensorError.file` with the path and the reason.
    package static func read(path: String) throws(TensorError) -> Tensor {
        let file = try MappedFile(path: path)
        do {
            return try parse(file.storage)
        } catch {
            if case .file(_, let reason) = error { throw .file(path: path, reason: reason) }
            throw .file(path: path, reason: error.description)
        }
    }

    /// Writes `tensor` to a new file or over an old one.
    package static func write(_ tensor: Tensor, path: String) throws(TensorError) {
        guard let code = typeCode(tensor.elementType) else {
            throw .file(path: path, reason: "NumPy has no element type \(tensor.elementType)")
        }
        guard let file = fopen(path, "wb") else {
            throw .file(path: path, reason: String(cString: strerror(errno)))
        }
        let header = header(typeCode: code, shape: tensor.shape)
        var complete = header.withUnsafeBytes { fwrite($0.baseAddress, 1, $0.count, file) } == header.count
        tensor.withUnsafeBytes { bytes in
            complete = complete && fwrite(bytes.baseAddress, 1, bytes.count, file) == bytes.count
        }
        complete = fclose(file) == 0 && complete
        guard complete else { throw .file(path: path, reason: String(cString: strerror(errno))) }
    }

    /// The bytes before the elements: magic, version, length and a Python dictionary, padded to 64 bytes.
    static func header(typeCode: String, shape: Shape) -> [UInt8] {
        let extents = shape.dimensions.map { "\($0)," }.joined(separator: " ")
        var text = "{'descr': '\(typeCode)', 'fortran_order': False, 'shape': (\(extents)), }"
        let unpadded = magic.count + 4 + text.utf8.count + 1
        text += String(repeating: " ", count: (64 - unpadded % 64) % 64) + "\n"
        let length = UInt16(text.utf8.count)
        return magic + [1, 0, UInt8(length & 0xff), UInt8(length >> 8)] + Array(text.utf8)
    }

    static func parse(_ storage: Storage) throws(TensorError) -> Tensor {
        let bytes = storage.bytes
        guard bytes.count >= 10, bytes.prefix(magic.count).elementsEqual(magic) else {
            throw .file(path: "", reason: "not a .npy file")
        }
        let version = bytes[6]
        guard (1...3).contains(version) else {
            throw .file(path: "", reason: ".npy format version \(version) is not known, expected 1 to 3")
        }
        let lengthByteCount = version == 1 ? 2 : 4
        let headerOffset = 8 + lengthByteCount
        guard bytes.count >= headerOffset else { throw .file(path: "", reason: "the header is cut off") }
        let headerByteCount = (0..<lengthByteCount).reduce(0) { $0 | Int(bytes[8 + $1]) << (8 * $1) }
        guard headerByteCount <= maximumHeaderByteCount else {
            throw .file(
                path: "",
                reason: "header of \(headerByteCount) bytes, at most \(maximumHeaderByteCount) are read")
        }
        let dataOffset = headerOffset + headerByteCount
        guard bytes.count >= dataOffset else { throw .file(path: "", reason: "the header is cut off") }
        let header = try NPYHeader(
            String(
                decoding: UnsafeRawBufferPointer(rebasing: bytes[headerOffset..<dataOffset]), as: UTF8.self))
        let shape = try Shape(header.shape)
        let actual = bytes.count - dataOffset
        let expected = shape.count * header.elementType.byteCount
        guard actual == expected else {
            throw .byteCount(
                elementType: header.elementType, shape: shape.dimensions, expected: expected, actual: actual)
        }
        let tensor = try Tensor(
            elementType: header.elementType, shape: shape, storage: storage, byteOffset: dataOffset)
        return header.isFortranOrder ? transposed(tensor) : tensor
    }

    /// The code of a little-endian element type; `nil` for bfloat16, which NumPy lacks.
    static func typeCode(_ elementType: ElementType) -> String? {
        switch elementType {
        case .bool: "|b1"
        case .uint8: "|u1"
        case .int8: "|i1"
        case .uint16: "<u2"
        case .uint32: "<u4"
        case .uint64: "<u8"
        case .int16: "<i2"
        case .int32: "<i4"
        case .int64: "<i8"
        case .float16: "<f2"
        case .float32: "<f4"
        case .float64: "<f8"
        case .bfloat16: nil
        }
    }

    /// Elements stored first axis fastest, rearranged last axis fastest.
    private static func transposed(_ tensor: Tensor) -> Tensor {
        let width = tensor.elementType.byteCount
        let dimensions = tensor.shape.dimensions
        return Tensor(elementType: tensor.elementType, shape: tensor.shape) { target in
            tensor.withUnsafeBytes { source in
                var position = [Int](repeating: 0, count: dimensions.count)
                for index in 0..<tensor.shape.count {
                    var sourceIndex = 0
                    for axis in dimensions.indices.reversed() {
                        sourceIndex = sourceIndex * dimensions[axis] + position[axis]
                    }
                    for byte in 0..<width {
                        target[index * width + byte] = source[sourceIndex * width + byte]
                    }
                    for axis in dimensions.indices.reversed() {
                        position[axis] += 1
                        if position[axis] < dimensions[axis] { break }
                        position[axis] = 0
                    }
                }
            }
        }
    }
}
