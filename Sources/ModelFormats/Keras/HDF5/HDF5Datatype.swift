import Tensors

/// The element type of a data set or an attribute.
enum HDF5Datatype {
    case number(ElementType)
    /// So many bytes each, padded with NUL or spaces.
    case text(byteCount: Int)
    /// Strings in the global heap.
    case variableText

    /// Reads a datatype message.
    init(_ bytes: HDF5Bytes, at address: Int) throws(HDF5Error) {
        let (kind, flags) = (try bytes.byte(at: address) & 15, try bytes.byte(at: address + 1))
        let byteCount = try bytes.word(at: address + 4)
        switch kind {
        case 0, 1:
            guard flags & 1 == 0 else {
                throw HDF5Error(reason: "big-endian HDF5 numbers are not supported", byteOffset: address)
            }
            let isSigned = flags & 8 != 0
            let type: ElementType? =
                switch (kind, byteCount, isSigned) {
                case (0, 1, true): .int8
                case (0, 1, false): .uint8
                case (0, 2, true): .int16
                case (0, 2, false): .uint16
                case (0, 4, true): .int32
                case (0, 4, false): .uint32
                case (0, 8, true): .int64
                case (0, 8, false): .uint64
                case (1, _, _): try Self.real(bytes, at: address, byteCount)
                default: nil
                }
            guard let type else {
                throw HDF5Error(
                    reason: "HDF5 numbers of \(byteCount) bytes of this kind are not supported",
                    byteOffset: address)
            }
            self = .number(type)
        case 3: self = .text(byteCount: byteCount)
        case 9 where flags & 15 == 1: self = .variableText
        default:
            let names = [
                2: "time", 4: "bit field", 5: "opaque", 6: "compound", 7: "reference", 8: "enumeration",
                9: "variable-length", 10: "array",
            ]
            throw HDF5Error(
                reason: "HDF5 elements of \(names[kind] ?? "unknown") type are not supported",
                byteOffset: address
            )
        }
    }

    /// By the bits of the exponent, which tell float16 from bfloat16.
    private static func real(
        _ bytes: HDF5Bytes, at address: Int, _ byteCount: Int
    ) throws(HDF5Error) -> ElementType? {
        let exponentBitCount = try bytes.byte(at: address + 13)
        return switch (byteCount, exponentBitCount) {
        case (2, 5): .float16
        case (2, 8): .bfloat16
        case (4, 8): .float32
        case (8, 11): .float64
        default: nil
        }
    }
}

/// The extents of a data set or an attribute.
struct HDF5Dataspace {
    let dimensions: [Int]

    /// Reads a dataspace message. `nil` stands for no elements at all.
    init(_ bytes: HDF5Bytes, at address: Int) throws(HDF5Error) {
        let version = try bytes.byte(at: address)
        let rank = try bytes.byte(at: address + 1)
        guard rank <= HDF5Limits.maximumRank else {
            throw HDF5Error(reason: "an HDF5 data set of \(rank) dimensions", byteOffset: address)
        }
        let first: Int
        switch version {
        case 1: first = address + 8
        case 2:
            guard try bytes.byte(at: address + 3) < 2 else {
                dimensions = [0]
                return
            }
            first = address + 4
        default:
            throw HDF5Error(reason: "HDF5 dataspace version \(version) is not supported", byteOffset: address)
        }
        var dimensions: [Int] = []
        for axis in 0..<rank { dimensions.append(try bytes.length(at: first + 8 * axis)) }
        self.dimensions = dimensions
    }

    func shape(at address: Int) throws(HDF5Error) -> Shape {
        do {
            return try Shape(dimensions)
        } catch {
            throw HDF5Error(reason: error.description, byteOffset: address)
        }
    }
}
