import CZlib

/// What was done to the chunks of a data set before they were stored: deflate, shuffle, a checksum.
struct HDF5Filters {
    private enum Filter: Int {
        case deflate = 1
        case shuffle = 2
        case checksum = 3
    }

    private static let checksumByteCount = 4
    private let filters: [Filter]

    init() { filters = [] }

    /// Reads a filter pipeline message.
    init(_ bytes: HDF5Bytes, at address: Int) throws(HDF5Error) {
        let version = try bytes.byte(at: address)
        let count = try bytes.byte(at: address + 1)
        guard version == 1 || version == 2, count <= HDF5Limits.maximumFilterCount else {
            throw HDF5Error(
                reason: "HDF5 filters of version \(version) are not supported", byteOffset: address)
        }
        var position = address + (version == 1 ? 8 : 2)
        var filters: [Filter] = []
        for _ in 0..<count {
            let identifier = try bytes.short(at: position)
            guard let filter = Filter(rawValue: identifier) else {
                throw HDF5Error(reason: "HDF5 filter \(identifier) is not supported", byteOffset: position)
            }
            filters.append(filter)
            // The identifiers that are known are below 256: version 2 states no name for them.
            let nameByteCount = version == 1 ? try bytes.short(at: position + 2) : 0
            let valueCount = try bytes.short(at: position + (version == 1 ? 6 : 4))
            position += version == 1 ? 8 + (nameByteCount + 7) / 8 * 8 : 6
            position += 4 * (version == 1 ? valueCount + valueCount % 2 : valueCount)
        }
        self.filters = filters
    }

    /// The `byteCount` bytes that `stored` stands for. Bit i of `skipping` says that filter i was not applied.
    func undone(
        _ stored: UnsafeRawBufferPointer, skipping: Int, elementByteCount: Int, byteCount: Int, address: Int
    ) throws(HDF5Error) -> [UInt8] {
        var content = [UInt8](stored)
        for (index, filter) in filters.enumerated().reversed() where skipping >> index & 1 == 0 {
            switch filter {
            case .deflate: content = try Self.inflated(content, byteCount + Self.checksumByteCount, address)
            case .shuffle: content = Self.unshuffled(content, elementByteCount)
            case .checksum: content.removeLast(min(content.count, Self.checksumByteCount))
            }
        }
        guard content.count == byteCount else {
            throw HDF5Error(
                reason: "an HDF5 chunk has \(content.count) bytes, expected \(byteCount)", byteOffset: address
            )
        }
        return content
    }

    /// At most `limit` bytes.
    private static func inflated(
        _ content: [UInt8], _ limit: Int, _ address: Int
    ) throws(HDF5Error) -> [UInt8] {
        var length = uLongf(limit)
        var code = Z_DATA_ERROR
        let result = [UInt8](unsafeUninitializedCapacity: limit) { buffer, count in
            code = uncompress(buffer.baseAddress, &length, content, uLong(content.count))
            count = code == Z_OK ? Int(length) : 0
        }
        guard code == Z_OK else {
            throw HDF5Error(reason: "an HDF5 chunk cannot be inflated", byteOffset: address)
        }
        return result
    }

    /// All first bytes of the elements, then all second ones: back to element by element.
    private static func unshuffled(_ content: [UInt8], _ elementByteCount: Int) -> [UInt8] {
        let count = content.count / elementByteCount
        guard elementByteCount > 1, count > 1 else { return content }
        var result = content
        for index in 0..<count {
            for byte in 0..<elementByteCount {
                result[index * elementByteCount + byte] = content[byte * count + index]
            }
        }
        return result
    }
}
